"""Minutes written from a sitting: what they say of it, and that whatever was recorded makes minutes that are read."""

from contextlib import suppress
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from services.meetings.body.body import ItemKind, Substitution
from services.meetings.minutes.from_sitting import OfAgenda, OfMeeting, decision_text, minutes_of
from services.meetings.minutes.minutes import MinutesDraft, parse_minutes
from services.meetings.minutes.phrases import ENGLISH, NOT_KNOWN, SWEDISH
from services.meetings.minutes.plain_markdown import blocks, heading, line
from services.meetings.sitting import steps
from services.meetings.sitting.evolving import evolve
from services.meetings.sitting.history import effective
from services.meetings.sitting.sitting import Sitting
from services.meetings.sitting.steps import Choice, How, Step, cleaned
from shared.errors import InvalidInput, JusteraError, Refused
from shared.rendering.minutes import BulletList, Subheading, Text
from shared.rendering.minutes import Table as MinutesTable
from tests.unit.meetings.test_sitting import ALL, OPENED, ROLL, Record, ballots

BOARD = OfMeeting(body="Styrelsen", place="Digitalt", secretary="", agenda=(OfAgenda("i", "Delårsrapport"),))


def written(record: Record, meeting: OfMeeting = BOARD) -> tuple[MinutesDraft, dict[str, str]]:
    made = minutes_of([step for _, step in effective(record.entries)], meeting)
    return parse_minutes(made.markdown), {one.what: one.about for one in made.open}


def texts(draft: MinutesDraft, number: int = 1) -> list[str]:
    return [text for block in draft.sections[number - 1].blocks for text in lines_of_block(block)]


def lines_of_block(block: Any) -> list[str]:
    match block:
        case Subheading():
            return [f"# {block.text}"]
        case Text():
            return ["".join(run.text for run in block.runs)]
        case MinutesTable():
            return [
                " | ".join("".join(run.text for run in cell) for cell in row) for row in (block.header, *block.rows)
            ]
        case BulletList():
            return ["- " + "".join(run.text for run in item) for item in block.items]
    raise AssertionError(block)


def test_a_whole_item_is_told() -> None:
    record = Record()
    record.item()
    record.proposals()
    record(steps.ProposalsOrdered(order=(2, 1)))
    record(steps.VoteTaken(yes=1, no=2, ballots=ballots(olof="yes", eva="yes", maja="abstain", nils="no")))
    record(steps.Decided(text="Godkänna rapporten", how=How.VOTE, proposal=1))
    record(steps.AdjustedAtOnce())
    record(steps.Reserved(person_id="nils", text="Rapporten saknar siffror."))
    record(steps.Stated(person_id="maja", text="Jag litar på *revisorn*."))
    record(steps.Noted(text="Ekonomen föredrar.\n- Resultat\n- Likviditet"))
    record(steps.ItemEnded())
    record(steps.Closed())
    agenda = (OfAgenda("i", "Delårsrapport", "Resultatet är bättre än budget.", ("Rapporten",)),)
    draft, left_open = written(record, OfMeeting("Styrelsen", "Granvik", "", agenda=agenda))
    assert draft.sections[0].heading == "Delårsrapport"
    assert texts(draft) == [
        "# Beslut",
        "Styrelsen beslutar att godkänna rapporten",
        "Paragrafen justeras omedelbart.",
        "# Reservation",
        "Nils Ek reserverar sig mot beslutet: Rapporten saknar siffror.",
        "# Protokollsanteckning",
        "Maja Lind: Jag litar på *revisorn*.",
        "# Bakgrund",
        "Resultatet är bättre än budget.",
        "Ekonomen föredrar.",
        "- Resultat",
        "- Likviditet",
        "# Förslag",
        "1. Enligt handlingarna: Godkänna rapporten",
        "2. Nils Ek föreslår: Avslå",
        "# Propositionsordning",
        "Ordföranden ställer förslagen under proposition i denna ordning: 2, 1.",
        "# Omröstning",
        "Votering begärs. Ja är förslag 1, nej är förslag 2.",
        "Ledamot | Röst",
        "Olof Berg | Ja",
        "Eva Lund | Ja",
        "Maja Lind | Avstår",
        "Nils Ek | Nej",
        "Med 2 ja, 1 nej och 1 som avstår vinner förslag 1.",
        "# Bilagor",
        "- Rapporten",
    ]
    assert [one.title for one in draft.sections[0].attachments] == ["Rapporten"]
    assert left_open == {"no_adjuster": ""}
    front = draft.front
    assert (front.title, front.chair, front.secretary) == ("Protokoll styrelsen", "Olof Berg", "Sara Falk")
    assert (front.starts, front.ends) == (OPENED, record.now.closed_at)
    assert [(one.name, one.role) for one in front.others] == [("Sara Falk", "sekreterare")]


def test_who_comes_leaves_and_serves_stands_in_the_fields_and_to_the_minute_in_the_text() -> None:
    record = Record("olof", "eva", "maja", "anna", "per")
    record.item("i")
    record(steps.Decided(text="Avslå"))
    record(steps.ItemEnded())
    record(steps.ItemBegun(item_id="j", title="Ekonomi", kind=ItemKind.DECISION))
    record(steps.Departed(person_id="maja", at=OPENED + timedelta(minutes=14)))
    record(steps.Decided(text="Bifalla", at=OPENED + timedelta(minutes=15)))
    record(steps.GuestArrived(person_id="g", name="Karin Ek", what="ekonom", at=OPENED + timedelta(minutes=16)))
    record(steps.ItemEnded(at=OPENED + timedelta(minutes=17)))
    draft, _ = written(record)
    there = {one.name: (one.paragraphs, one.serves_for) for one in draft.front.present}
    assert there["Maja Lind"] == (((1, 1),), "")
    assert there["Anna Dal"] == ((), "Nils Ek")
    assert there["Per Ros"] == ((), "Maja Lind")
    assert [one.name for one in draft.front.absent] == ["Nils Ek"]
    assert [(one.name, one.role, one.paragraphs) for one in draft.front.others] == [("Karin Ek", "ekonom", ((2, 2),))]
    assert texts(draft, 2)[-3:] == [
        "Maja Lind lämnar sammanträdet kl. 13:14.",
        "Per Ros tjänstgör för Maja Lind.",
        "Karin Ek kommer kl. 13:16.",
    ]


def test_who_has_a_conflict_of_interest_and_who_presides_then_is_told() -> None:
    record = Record()
    record.item()
    record(steps.ConflictDeclared(person_id="olof", why="Äger bolaget"))
    record(steps.ChairTaken(person_id="eva"))
    record(steps.Decided(text="Avslå"))
    draft, _ = written(record)
    assert texts(draft)[2:] == [
        "# Bakgrund",
        "Olof Berg anmäler jäv och deltar inte i ärendet: Äger bolaget",
        "Anna Dal tjänstgör för Olof Berg.",
        "Eva Lund leder sammanträdet.",
    ]
    assert draft.front.chair == "Eva Lund"
    assert {one.name: one.role for one in draft.front.present}["Olof Berg"] == "ordinarie ordförande"


def test_who_presides_when_the_chair_has_no_part_or_left_is_told_once() -> None:
    """The vote of whoever presides decides a tie: minutes say whose it was."""
    record = Record()
    record.item()
    record(steps.ConflictDeclared(person_id="olof"))
    record.proposals()
    record(steps.VoteTaken(yes=1, no=2, ballots=ballots(eva="yes", maja="no", nils="no", anna="yes")))
    record(steps.Decided(text="Godkänna", how=How.VOTE, proposal=1))
    record(steps.ItemEnded())
    record.item("j")
    record(steps.Departed(person_id="olof"))
    record(steps.Decided(text="Avslå"))
    draft, _ = written(record)
    assert texts(draft).count("Eva Lund leder sammanträdet.") == 1
    assert "Eva Lund leder sammanträdet." in texts(draft, 2)


def test_an_adjournment_and_the_choice_of_adjusters_are_told() -> None:
    record = Record(adjusters=2)
    record(steps.Adjourned(at=OPENED + timedelta(minutes=5)))
    record(steps.Resumed(at=OPENED + timedelta(minutes=9)))
    record(steps.ItemBegun(item_id="i", title="Val av justerare", at=OPENED + timedelta(minutes=9)))
    record(steps.AdjustersChosen(people=("maja", "nils"), at=OPENED + timedelta(minutes=9)))
    record(steps.ItemEnded(at=OPENED + timedelta(minutes=9)))
    record(steps.Adjourned(at=OPENED + timedelta(minutes=12)))
    draft, left_open = written(record)
    assert draft.front.adjusters == ("Maja Lind", "Nils Ek")
    assert texts(draft) == [
        "# Beslut",
        "Styrelsen utser Maja Lind och Nils Ek att justera protokollet.",
        "# Bakgrund",
        "Sammanträdet ajourneras kl. 13:05 och återupptas kl. 13:09.",
        "Sammanträdet ajourneras kl. 13:12.",
    ]
    assert left_open == {"not_closed": ""}


def test_minutes_are_in_the_bodys_language_and_by_its_own_name() -> None:
    record = Record()
    record.item()
    record(steps.Decided(text="to approve the report"))
    draft, left_open = written(record, OfMeeting("Nordic Network", "", "", language="en"))
    assert draft.front.title == "Minutes of Nordic Network"
    assert draft.front.place == NOT_KNOWN
    assert texts(draft)[:2] == ["# Decision", "Nordic Network decides to approve the report"]
    assert draft.front.chair == "Olof Berg"
    assert "not_closed" in left_open


def test_what_was_not_taken_up_is_asked_about_and_nothing_at_all_makes_no_minutes() -> None:
    record = Record()
    with pytest.raises(Refused, match="no item was taken up"):
        minutes_of([step for _, step in effective(record.entries)], BOARD)
    record.item()
    two = OfMeeting("Styrelsen", "Digitalt", "", agenda=(*BOARD.agenda, OfAgenda("j", "Övrigt")))
    assert written(record, two)[1]["not_taken_up"] == "Övrigt"


@pytest.mark.parametrize(
    ("text", "made"),
    [
        ("Godkänna rapporten.", "Styrelsen beslutar att godkänna rapporten."),
        ("att godkänna", "Styrelsen beslutar att godkänna"),
        ("VD får i uppdrag", "Styrelsen beslutar att VD får i uppdrag"),
        ("Styrelsen beslutade att avslå", "Styrelsen beslutade att avslå"),
        ("att godkänna\natt tacka", "Styrelsen beslutar att\n\n- godkänna\n- tacka"),
        ("- Godkänna\n- tacka", "Styrelsen beslutar att\n\n- godkänna\n- tacka"),
    ],
)
def test_a_decision_is_a_sentence_of_the_body(text: str, made: str) -> None:
    assert decision_text(text, "Styrelsen", SWEDISH) == made


def test_a_decision_in_english() -> None:
    assert decision_text("to agree", "The Board", ENGLISH) == "The Board decides to agree"


ODD = st.text(st.sampled_from("#*_-1.) \n\t\\`>[]<&:{}'\"|aåB§•–—o\xa0="), min_size=1, max_size=30)
TEXT = ODD | st.sampled_from(["att godkänna\natt tacka", "## Nytt", "| a | b |\n| --- | --- |", "Vald till"])


@given(TEXT)
@example("•\xa0a")
@example("\xa0- a\n\xa0# b")
def test_plain_text_is_read_back_as_text(text: str) -> None:
    """Whatever is typed begins no heading, no table and no list inside a list, and no letter is lost."""
    with suppress(InvalidInput):
        typed = steps._text(text)
        draft = parse_minutes(FRONT + f"## A\n\n{blocks(typed)}\n\n## B\n\n{line(typed)}\n")
        assert [section.heading for section in draft.sections] == ["A", "B"]
        for number in (1, 2):
            read = "".join(texts(draft, number))
            assert [char for char in read if char.isalnum()] == [char for char in typed if char.isalnum()]
            assert not any(run.bold or run.italic for run in _runs(draft, number))


@given(ODD)
def test_a_title_is_read_back_as_it_was(text: str) -> None:
    with suppress(InvalidInput):
        title = steps.clean_line(text, "title")
        assert parse_minutes(FRONT + f"## {heading(title)}\n").sections[0].heading == title.replace("\xa0", "\xa0")


FRONT = """---
title: A
body: A
place: A
starts: 2022-09-23T13:00
ends: 2022-09-23T13:00
present: [{name: A}]
secretary: A
adjuster: A
---
"""


def _runs(draft: MinutesDraft, number: int) -> list[Any]:
    found: list[Any] = []
    for block in draft.sections[number - 1].blocks:
        assert isinstance(block, Text | BulletList), block
        found += block.runs if isinstance(block, Text) else [run for item in block.items for run in item]
    return found


PERSON = st.sampled_from([*ALL, "g", "h"])
ITEM = st.sampled_from("ijk")
NUMBER = st.integers(1, 2)
STEP: st.SearchStrategy[Any] = st.one_of(
    st.builds(steps.Arrived, person_id=PERSON),
    st.builds(steps.Departed, person_id=PERSON),
    st.builds(steps.GuestArrived, person_id=st.sampled_from("gh"), name=TEXT, what=st.none() | TEXT),
    st.builds(steps.StoodDown, person_id=st.sampled_from(["anna", "per"])),
    st.builds(steps.ChairTaken, person_id=PERSON),
    st.builds(steps.ItemBegun, item_id=ITEM, title=TEXT, kind=st.sampled_from(ItemKind)),
    st.just(steps.ItemEnded()),
    st.builds(steps.ConflictDeclared, person_id=PERSON, why=st.none() | TEXT),
    st.builds(steps.ProposalMade, text=TEXT, person_id=st.none() | PERSON),
    st.builds(steps.ProposalsOrdered, order=st.sampled_from([(1,), (1, 2), (2, 1)])),
    st.builds(steps.Decided, text=TEXT, proposal=st.none() | NUMBER, how=st.sampled_from(How)),
    st.builds(steps.Reserved, item_id=st.none() | ITEM, person_id=PERSON, text=st.just("") | TEXT),
    st.builds(steps.Stated, item_id=st.none() | ITEM, person_id=PERSON, text=TEXT),
    st.builds(steps.Noted, item_id=st.none() | ITEM, text=st.just("") | TEXT),
    st.just(steps.Adjourned()),
    st.just(steps.Resumed()),
    st.builds(steps.AdjustersChosen, people=st.tuples(PERSON)),
    st.builds(steps.AdjustedAtOnce, item_id=st.none() | ITEM),
    st.just(steps.Closed()),
    st.sampled_from(["vote", "vote tied"]),
)


def votes(state: Sitting, how: str) -> steps.VoteTaken:
    said = [
        steps.Ballot(person_id=one.person_id, choice=Choice.YES if n % 2 or how == "vote" else Choice.NO)
        for n, one in enumerate(state.deciding)
    ]
    return steps.VoteTaken(yes=1, no=2, ballots=tuple(said))


@settings(max_examples=300, deadline=None)
@given(
    st.lists(STEP, min_size=1, max_size=40),
    st.sets(st.sampled_from(ALL), min_size=3),
    st.sampled_from(Substitution),
    st.sampled_from(["Styrelsen", "Nätverket för | *gränser*", "# A"]),
    TEXT,
)
def test_whatever_was_recorded_makes_minutes_that_are_read(
    said: list[Any], present: set[str], rule: Substitution, body: str, background: str
) -> None:
    state: Sitting | None = None
    recorded: list[Step] = []
    twins = tuple(one.model_copy(update={"name": "Eva Lund" if one.person_id == "per" else one.name}) for one in ROLL)
    first = steps.ItemBegun(item_id="i", title="Delårsrapport", kind=ItemKind.DECISION)
    now = OPENED
    for one in (
        steps.Opened(roll=twins, rule=rule, quorum=2, adjusters=1, at=now),
        steps.RollCalled(present=tuple(sorted(present))),
        first,
        *said,
    ):
        now += timedelta(minutes=1)
        if isinstance(one, str) and not (state and state.deciding):
            continue  # nobody is there to vote
        with suppress(JusteraError):
            step = votes(state, one) if isinstance(one, str) and state else one
            step = cleaned(step.model_copy(update={"at": None}), now, "Europe/Stockholm")
            state = evolve(state, step)
            recorded.append(step)
    assert state is not None
    agenda = tuple(OfAgenda(item.id, item.title, background.strip(), ("A | b",)) for item in state.items)
    made = minutes_of(recorded, OfMeeting(body, "", "", agenda=agenda))
    draft = parse_minutes(made.markdown)
    assert [section.heading for section in draft.sections] == [item.title for item in state.items]
    ever = {one.name for one in state.attendees if one.movements}
    listed = {one.name.removesuffix(" (2)") for one in (*draft.front.present, *draft.front.others)}
    between = next((one.about for one in made.open if one.what == "between"), "")
    assert all(name in listed or name in between for name in ever)
    for item, section in zip(state.items, draft.sections, strict=True):
        said_there = "".join(text for block in section.blocks for text in lines_of_block(block))
        for vote in item.votes:
            assert f"vinner förslag {vote.result}" in said_there
        assert all(state.name(one.person_id) in said_there.replace("\\", "") for one in item.reservations)
