"""Minutes as Markdown with YAML front matter -> a draft -> a numbered document. Pure; nothing here does I/O.

    ---
    title: Protokoll styrelsen
    body: Styrelsen
    place: Digitalt
    starts: 2022-09-23T13:00          # local to the body
    ends: 2022-09-23T15:00
    present:
      - {name: …, party: S, municipality: …, role: ordförande}
    secretary: …
    adjuster: …                       # a name, or a list of names
    first_paragraph: 28               # optional, as all that follows
    reference: KF 2022/14             # diarienummer
    absent: [{name: …, party: C}]
    others: [{name: …, title: ekonom, items: 2}]
    annexes: [{title: …, file: …}]    # bilagor; see `annexes`
    ---
    ## A heading that becomes § 28
    ### Beslut
    Text, *italic* and **bold**, `-` and `1.` lists, tables of `|`.

Anything else that Markdown knows (links, HTML) is printed as the characters that were typed.
"""

from collections.abc import Sequence

from pydantic import BaseModel, ConfigDict

from services.meetings.minutes.annexes import attached, labelled, named_by, with_paragraphs
from services.meetings.minutes.front_matter import FrontMatter, read_front_matter, within
from services.meetings.minutes.pasted import as_markdown
from services.meetings.minutes.text import Section, read_sections
from services.meetings.wall_time import require_there
from shared.errors import InvalidInput
from shared.plain_text import lines_of, unfit
from shared.rendering.minutes import (
    Annex,
    Attendee,
    Language,
    Letterhead,
    MinutesDocument,
    Paragraph,
    SignaturePlace,
    standard_places,
)

MAX_MINUTES = 1_048_576
"""Bytes of UTF-8 in one minutes file."""


class MinutesDraft(BaseModel):
    """Minutes as written, before their paragraphs have numbers. `starts` and `ends` are local to the body."""

    model_config = ConfigDict(frozen=True)

    front: FrontMatter
    sections: tuple[Section, ...]


def parse_minutes(text: str) -> MinutesDraft:
    """Raises InvalidInput with one line that names the field or the line; so over `MAX_MINUTES` bytes."""
    if len(text) > MAX_MINUTES or len(text.encode("utf-8", "surrogatepass")) > MAX_MINUTES:
        raise InvalidInput(f"the minutes are longer than {MAX_MINUTES // 1024} KiB")
    lines = as_markdown(lines_of(text))
    _refuse_the_unfit(lines)
    end = _end_of_front_matter(lines)
    fields = "\n".join(lines[1:end]).replace("\xa0", " ")
    front = read_front_matter(fields)
    sections = read_sections("\n".join(lines[end + 1 :]), first_line=end + 2)
    named_by(front.annexes, sections)
    return MinutesDraft(front=within(front, len(sections), fields), sections=sections)


def number_paragraphs(
    draft: MinutesDraft,
    first: int,
    *,
    language: Language = "sv",
    timezone: str = "Europe/Stockholm",
    places: Sequence[SignaturePlace] = (),
    letterhead: Letterhead | None = None,
    annexes: Sequence[Annex] = (),
) -> MinutesDocument:
    """The document with its paragraphs numbered from `first`, ready to render.

    The caller chooses `first`: the draft's own `first_paragraph`, or the next in the body's calendar year.
    `places` replaces the usual secretary, chair and adjusters when others sign; `annexes` are those of the draft, whose
    files were found. Raises InvalidInput for an hour that the clocks skip in `timezone`.
    """
    front = draft.front
    require_there(front.starts, timezone, "starts")
    require_there(front.ends, timezone, "ends")
    return MinutesDocument(
        language=language,
        title=front.title,
        body=front.body,
        place=front.place,
        starts=front.starts,
        ends=front.ends,
        timezone=timezone,
        present=_numbered(front.present, first),
        absent=front.absent,
        others=_numbered(front.others, first),
        reference=front.reference,
        letterhead=letterhead,
        secretary=front.secretary,
        chair=front.chair,
        adjusters=front.adjusters,
        places=tuple(places) or standard_places(language, front.secretary, front.chair, front.adjusters),
        paragraphs=tuple(
            Paragraph(
                number=number,
                heading=section.heading,
                blocks=labelled(section, front.annexes, language),
                attachments=attached(section, front.annexes),
            )
            for number, section in enumerate(draft.sections, first)
        ),
        annexes=with_paragraphs(annexes, named_by(front.annexes, draft.sections), first),
    )


def _numbered(people: Sequence[Attendee], first: int) -> tuple[Attendee, ...]:
    """`paragraphs` by the numbers that they get, instead of their place in the file."""
    return tuple(
        person.model_copy(
            update={"paragraphs": tuple((begin + first - 1, end + first - 1) for begin, end in person.paragraphs)}
        )
        for person in people
    )


def _refuse_the_unfit(lines: Sequence[str]) -> None:
    for number, line in enumerate(lines, 1):
        if found := unfit(line):
            raise InvalidInput(f"line {number}: holds {found}")


def _end_of_front_matter(lines: Sequence[str]) -> int:
    if lines[0].rstrip() != "---":
        raise InvalidInput("line 1: must be `---`, then the front matter (title, body, place …), then `---` again")
    for index, line in enumerate(lines[1:], 1):
        if line.rstrip() == "---":
            return index
    raise InvalidInput("front matter: no closing line `---`")
