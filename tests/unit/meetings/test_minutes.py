from datetime import datetime

import pytest

from services.meetings.meeting.meeting import body_key
from services.meetings.minutes.minutes import MAX_MINUTES, number_paragraphs, parse_minutes
from shared.errors import InvalidInput
from shared.rendering.minutes import BulletList, OrderedList, Run, SignaturePlace, Subheading, Table, Text

FRONT = """\
---
title: Protokoll styrelsen
body: Styrelsen
place: Digitalt via Teams
starts: 2022-09-23T13:00
ends: 2022-09-23T15:00
present:
  - {name: Olof Berg, party: S, municipality: Björkå, role: ordförande}
  - {name: Sven Dahl, party: No, municipality: Granvik}
secretary: Maja Lind
adjuster: Sven Dahl
first_paragraph: 28
---
"""
BODY = """\
## Ledningens information
### Beslut
Styrelsen beslutar att

- Lägga informationen
  till handlingarna.
- *Notera* **allt**.

## Övriga frågor
3. tre
4. fyra
"""


def test_the_front_matter_is_read_as_text() -> None:
    front = parse_minutes(FRONT + BODY).front
    assert (front.title, front.body, front.place) == ("Protokoll styrelsen", "Styrelsen", "Digitalt via Teams")
    assert (front.starts, front.ends) == (datetime(2022, 9, 23, 13), datetime(2022, 9, 23, 15))
    assert front.present[1].party == "No", "YAML's No must not turn into false"
    assert (front.secretary, front.chair, front.adjusters) == ("Maja Lind", "Olof Berg", ("Sven Dahl",))
    assert front.first_paragraph == 28


def test_paragraphs_are_plain_blocks() -> None:
    first, second = parse_minutes(FRONT + BODY).sections
    assert first.heading == "Ledningens information"
    assert first.blocks == (
        Subheading(text="Beslut"),
        Text(runs=(Run(text="Styrelsen beslutar att"),)),
        BulletList(
            items=(
                (Run(text="Lägga informationen till handlingarna."),),
                (Run(text="Notera", italic=True), Run(text=" "), Run(text="allt", bold=True), Run(text=".")),
            )
        ),
    )
    assert second.blocks == (OrderedList(start=3, items=((Run(text="tre"),), (Run(text="fyra"),))),)


def test_numbers_run_from_the_first() -> None:
    document = number_paragraphs(parse_minutes(FRONT + BODY), 28)
    assert [paragraph.number for paragraph in document.paragraphs] == [28, 29]
    assert document.name == "Protokoll styrelsen 2022-09-23"
    assert [place.role for place in document.places] == ["secretary", "chair", "adjuster"]


def test_other_signers_may_replace_the_usual_places() -> None:
    places = (SignaturePlace(role="chair", label="Chair", name="Olof Berg"),)
    assert number_paragraphs(parse_minutes(FRONT + BODY), 1, language="en", places=places).places == places


@pytest.mark.parametrize(
    "typed",
    ["<b>x</b> &amp; <script>", '#strong[x] $x$ #include "/etc/passwd"', "[a](https://b.example)", "| a | b |", "`x`"],
)
def test_what_is_no_format_of_ours_stays_the_characters_that_were_typed(typed: str) -> None:
    (section,) = parse_minutes(f"{FRONT}## {typed} .\n\n{typed}\n").sections
    assert section.heading == f"{typed} ."
    assert section.blocks == (Text(runs=(Run(text=typed),)),)


def test_windows_line_ends_and_a_byte_order_mark_are_fine() -> None:
    assert parse_minutes("\ufeff" + (FRONT + BODY).replace("\n", "\r\n")) == parse_minutes(FRONT + BODY)


def test_there_may_be_several_adjusters_and_no_named_chair() -> None:
    text = (
        (FRONT + BODY)
        .replace("adjuster: Sven Dahl", "adjuster: [Sven Dahl, Eva Alm]")
        .replace(", role: ordförande", "")
    )
    front = parse_minutes(text).front
    assert (front.chair, front.adjusters) == ("", ("Sven Dahl", "Eva Alm"))


def refusal(text: str) -> str:
    with pytest.raises(InvalidInput) as caught:
        parse_minutes(text)
    assert "\n" not in caught.value.message
    return caught.value.message


@pytest.mark.parametrize(
    ("was", "becomes", "message"),
    [
        ("title: Protokoll styrelsen\n", "", "title: is missing"),
        ("title: Protokoll styrelsen", "title: [a]", "title: must be text on one line"),
        ("title: Protokoll styrelsen", 'title: "a\\u202eb"', "title: holds U+202E"),
        ("title: Protokoll styrelsen", 'title: "a\\u0007b"', "title: holds U+0007"),
        ("title: Protokoll styrelsen", "title: " + "x" * 301, "title: is longer than 300"),
        ("title:", "titel: x\ntitle:", "unknown field 'titel'"),
        ("title:", "body: x\ntitle:", "line 4: 'body' is there twice, first in line "),
        ("place: Digitalt via Teams", "place: &a Björkå", "line 4: anchors"),
        ("13:00", "13:00+02:00", "starts: must be a local date and time"),
        ("2022-09-23T15:00", "2022-02-30T15:00", "ends: must be a local date and time"),
        ("15:00", "12:00", "ends: is before starts"),
        ("name: Sven Dahl, ", "", "present, number 2: name is missing"),
        ("party: S,", "parti: S,", "present, number 1: unknown field 'parti'"),
        ("municipality: Granvik", "role: Ordförande", "present: more than one has the role"),
        ("first_paragraph: 28", "first_paragraph: 0", "first_paragraph: must be a whole number"),
        ("first_paragraph: 28", "first_paragraph: ٣", "first_paragraph: must be a whole number"),
        ("secretary: Maja Lind", "secretary: {a: b}", "secretary: must be text"),
        ("---\n## L", "## L", "front matter: no closing line"),
        ("---\ntitle", "title", "line 1: must be"),
        ("## Ledningens", "text\n\n## Ledningens", "line 14: text before the first paragraph"),
        ("### Beslut", "#### Beslut", "line 15: only ## (a numbered paragraph)"),
        ("### Beslut", "# Beslut", "line 15: only ## (a numbered paragraph)"),
        ("### Beslut", "###", "line 15: a heading ### must have"),
        ("  till", "  - till", "line 19: a list, heading or table inside a list"),
        ("till hand", "till\x07hand", "line 19: holds U+0007"),
        ("till hand", "till\u2066hand", "line 19: holds U+2066"),
        ("3. tre", "100000. tre", "a list that starts at 100000"),
    ],
)
def test_a_refusal_names_the_field_or_the_line(was: str, becomes: str, message: str) -> None:
    assert was in FRONT + BODY
    assert message in refusal((FRONT + BODY).replace(was, becomes, 1))


def test_minutes_without_a_paragraph_are_refused() -> None:
    assert "no paragraph found" in refusal(FRONT)


def test_what_is_too_large_is_refused() -> None:
    assert "longer than 1024 KiB" in refusal(FRONT + BODY + "å" * (MAX_MINUTES // 2))
    assert "more than 20000 lines" in refusal(FRONT + BODY + "a\n" * 20_001)
    assert "of the marks" in refusal(FRONT + BODY + "*" * 20_001)


def test_a_front_matter_cannot_exhaust_the_stack_or_unfold() -> None:
    assert "nested too deeply" in refusal(FRONT.replace("place: ", "place: " + "[" * 20_000) + BODY)


def test_a_heading_after_a_no_break_space_is_a_heading() -> None:
    """Option-space on a Mac; the numbering would be one short."""
    sections = parse_minutes(f"{FRONT}##\u00a0Öppnande\n\nMötet öppnas.\n\n##\u00a0Ekonomi\n\nBudgeten\n").sections
    assert [section.heading for section in sections] == ["Öppnande", "Ekonomi"]


def test_a_list_from_a_word_processor_is_a_list() -> None:
    (section,) = parse_minutes(
        f"{FRONT}## A\n\n•\tFörsta\n•\tAndra\n\n–\tTredje\n\n\uf0b7\tFjärde\n\n1.\tFemte\n2.\tSjätte\n"
    ).sections
    items = [run.text for block in section.blocks for item in getattr(block, "items", ()) for (run,) in [item]]
    assert items == ["Första", "Andra", "Tredje", "Fjärde", "Femte", "Sjätte"]


def test_labels_with_a_tab_begin_lines_of_their_own() -> None:
    (section,) = parse_minutes(f"{FRONT}## A\nStyrelsen\ta\na)\tEtt\nb)\tTvå\tord\n").sections
    assert section.blocks == (Text(runs=(Run(text="Styrelsen a\na) Ett\nb) Två ord"),)),)


def test_one_body_however_its_name_is_composed() -> None:
    assert body_key("Nämnden\u00a0för  miljö") == body_key("NA\u0308MNDEN för miljo\u0308\u200b")


@pytest.mark.parametrize(
    ("was", "becomes", "message"),
    [
        ("till hand", "till\ufffdhand", "line 19: holds U+FFFD, which stands for something that was lost"),
        ("till hand", "till\U0001f9ffhand", "line 19: holds U+1F9FF, which our documents cannot show"),
        ("Sven Dahl, party", "Sven \ue000Dahl, party", "line 9: holds U+E000"),
        ("Protokoll", '"Protokoll \\ue000"  #', "title: holds U+E000, which our documents cannot show"),
    ],
)
def test_what_cannot_be_shown_is_refused_with_its_line(was: str, becomes: str, message: str) -> None:
    assert message in refusal((FRONT + BODY).replace(was, becomes, 1))


def test_a_table_is_a_table() -> None:
    (section,) = parse_minutes(
        f"{FRONT}## A\n\n| Post | Belopp | |\n|:--|--:|:-:|\n| Resor \\| *mat* | 1\u00a0200 |\n\nText.\n"
    ).sections
    table, text = section.blocks
    assert table == Table(
        header=((Run(text="Post"),), (Run(text="Belopp"),), ()),
        align=("left", "right", "center"),
        rows=(((Run(text="Resor | "), Run(text="mat", italic=True)), (Run(text="1\u00a0200"),), ()),),
    )
    assert text == Text(runs=(Run(text="Text."),))


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ("| a | b |\n| --- | --- |\n| 1 | 2 | 3 |", "line 18: a row of 3 cells in a table of 2"),
        ("| a | b |\n| --- | --- |\n| 1 | 2 |\nText", "line 19: a row of a table without |"),
        ("| a | b |\n| 1 | 2 |", "line 16: a table whose second line is not"),
        ("| a | b |\n| --- |\n| 1 | 2 |", "line 16: a table whose second line is not"),
        ("|a" * 11 + "|\n" + "|-" * 11 + "|\n", "line 16: a table of more than 10 columns"),
        ("- a\n\n  | a | b |\n  | --- | --- |", "a list, heading or table inside a list"),
    ],
)
def test_a_table_that_would_lose_something_is_refused(table: str, message: str) -> None:
    assert message in refusal(f"{FRONT}## A\n\n{table}\n")


MORE = """\
reference: KF 2022/14
absent:
  - {name: Viktor Holm, party: M}
others:
  - {name: Petra Holm, title: förbundsdirektör}
  - name: Karin Ek
    title: ekonom
    items: [1]
"""
SUBSTITUTE = "  - {name: Eva Alm, serves_for: Viktor Holm, items: 2-}\n"
FULL = FRONT.replace("secretary:", SUBSTITUTE + "secretary:").replace("first_paragraph", MORE + "first_paragraph")


def test_who_was_absent_served_came_and_left_gets_the_paragraphs_numbers() -> None:
    document = number_paragraphs(parse_minutes(FULL + BODY), 28)
    assert document.reference == "KF 2022/14"
    assert [(who.name, who.serves_for, who.paragraphs) for who in document.present] == [
        ("Olof Berg", "", ()),
        ("Sven Dahl", "", ()),
        ("Eva Alm", "Viktor Holm", ((29, 29),)),
    ]
    assert [(who.name, who.party) for who in document.absent] == [("Viktor Holm", "M")]
    assert [(who.name, who.role, who.paragraphs) for who in document.others] == [
        ("Petra Holm", "förbundsdirektör", ()),
        ("Karin Ek", "ekonom", ((28, 28),)),
    ]


@pytest.mark.parametrize("items", ["1-2", "1-", "[1-2]"])
def test_who_was_there_for_all_was_there(items: str) -> None:
    (olof, *_) = parse_minutes(FRONT.replace("role: ordf", f"items: {items}, role: ordf") + BODY).front.present
    assert olof.paragraphs == ()


@pytest.mark.parametrize(
    ("was", "becomes", "message"),
    [
        ("items: 2-", "items: 3-", "line 10: present, number 3, items: the minutes have 2 paragraphs"),
        ("items: 2-", "items: 1-3", "line 10: present, number 3, items: the minutes have 2 paragraphs"),
        ("items: 2-", "items: 2-1", "line 10: present, number 3, items: must go upwards"),
        ("items: 2-", "items: [1, 1]", "line 10: present, number 3, items: must go upwards"),
        ("items: 2-", "items: 0", "line 10: present, number 3, items: must go upwards"),
        ("items: 2-", "items: § 29", "line 10: present, number 3, items: must be such as"),
        ("items: 2-", "items: {a: b}", "line 10: present, number 3, items: must be such as"),
        ("items: [1]", "items: 7", "line 18: others, number 2, items: the minutes have 2 paragraphs"),
        ("title: ekonom", "role: ekonom", "line 18: others, number 2: unknown field 'role'"),
        (
            "serves_for: Viktor Holm",
            "serves_for: Sven Dahl",
            "line 10: present, number 3, serves_for: Sven Dahl is not",
        ),
        ("serves_for: Viktor Holm", "serves_for: Vem", "line 10: present, number 3, serves_for: Vem is not among"),
        (
            "name: Sven Dahl,",
            "name: Sven Dahl, serves_for: Viktor Holm,",
            "line 10: present, number 3, serves_for: Sven",
        ),
        ("{name: Viktor Holm, party: M}", "{name: Eva Alm}", "line 15: absent, number 1: Eva Alm is present as well"),
        ("{name: Viktor Holm, party: M}", "{party: M}", "line 15: absent, number 1: name is missing"),
        ("reference: KF 2022/14", "reference: [KF]", "line 13: reference: must be text on one line"),
        ("Petra Holm", "Viktor Holm", "line 17: others, number 1: Viktor Holm is absent as well"),
    ],
)
def test_what_is_wrong_with_who_was_there_is_told_with_its_line(was: str, becomes: str, message: str) -> None:
    assert was in FULL
    changed = FULL.replace(was, becomes, 1)
    assert message in refusal((changed.replace("party: M}", "}") if "as well" in message else changed) + BODY)


def test_two_serve_for_one_after_the_other() -> None:
    two = SUBSTITUTE + SUBSTITUTE.replace("Eva Alm", "Leo Ström").replace("2-", "1")
    assert len(parse_minutes(FULL.replace(SUBSTITUTE, two) + BODY).front.present) == 4


def test_a_list_below_bilaga_names_attachments() -> None:
    (section,) = parse_minutes(
        f"{FRONT}## A\n\n- no\n\n### Bilagor:\n\n- *Status* VP22\n- Bildspel\n\n### Beslut\n\n- no\n"
    ).sections
    assert [one.title for one in section.attachments] == ["Status VP22", "Bildspel"]
