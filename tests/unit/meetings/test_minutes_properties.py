from contextlib import suppress

from hypothesis import example, given
from hypothesis import strategies as st

from services.meetings.minutes.minutes import number_paragraphs, parse_minutes
from shared.errors import InvalidInput
from shared.rendering.minutes import Block, MinutesDocument, Subheading, Table, Text
from tests.unit.meetings.test_minutes import FRONT

ANY_TEXT = st.text(st.characters(), max_size=400)
MARKED_TEXT = st.text(st.sampled_from("#*_-1.) \n\t\\`>[]<&:{}'\"|aå§"), max_size=200)


@given(ANY_TEXT | MARKED_TEXT)
@example("---\n---\n")
@example("---\n\ud800\n---\n")
def test_any_text_is_read_or_refused(text: str) -> None:
    with suppress(InvalidInput):
        parse_minutes(text)


@given(ANY_TEXT | MARKED_TEXT)
def test_any_front_matter_is_read_or_refused(text: str) -> None:
    with suppress(InvalidInput):
        parse_minutes(f"---\n{text}\n---\n## A\n")


@given(ANY_TEXT | MARKED_TEXT)
def test_any_body_is_read_or_refused_and_survives_its_journey_as_json(text: str) -> None:
    with suppress(InvalidInput):
        document = number_paragraphs(parse_minutes(f"{FRONT}## A\n{text}"), 1)
        assert MinutesDocument.model_validate_json(document.model_dump_json()) == document


@given(st.text(st.sampled_from("abåö 12"), min_size=1, max_size=60))
def test_no_letter_is_lost(text: str) -> None:
    try:
        draft = parse_minutes(f"{FRONT}## A\n\n{text}\n\n- {text}\n")
    except InvalidInput:
        return
    assert _letters(draft.sections[0].blocks) == 2 * [char for char in text if char.isalpha()]


def _letters(blocks: tuple[Block, ...]) -> list[str]:
    return [char for block in blocks for char in _text(block) if char.isalpha()]


def _text(block: Block) -> str:
    if isinstance(block, Subheading):
        return block.text
    if isinstance(block, Table):
        cells = [cell for row in (block.header, *block.rows) for cell in row]
        return "".join(run.text for cell in cells for run in cell)
    runs = block.runs if isinstance(block, Text) else [run for item in block.items for run in item]
    return "".join(run.text for run in runs)


@given(st.lists(st.lists(st.text("abåö |\\", max_size=8), min_size=1, max_size=4), min_size=1, max_size=4))
def test_no_letter_of_a_table_is_lost(rows: list[list[str]]) -> None:
    """Whatever stands between the bars is a cell, or the table is refused."""
    lines = ["| a | b | c |", "| --- | :-: | --: |", *("| " + " | ".join(row) + " |" for row in rows)]
    try:
        draft = parse_minutes(f"{FRONT}## A\n\n" + "\n".join(lines))
    except InvalidInput:
        return
    assert _letters(draft.sections[0].blocks) == [char for line in lines for char in line if char.isalpha()]
