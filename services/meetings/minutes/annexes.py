"""The annexes of minutes (bilagor): which paragraph names which, and which file of the meeting each one is. Pure.

    annexes:
      - {title: Delårsrapport, file: delarsrapport.pdf}      # Bilaga 1, in this order
    ---
    ## Ekonomi
    ### Bilaga
    - Delårsrapport                                          # printed as "Bilaga 1: Delårsrapport"

What stands on the pages, and so in what is signed, holds the SHA-256 of each file.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence

from services.meetings.annex.annex import MeetingFile
from services.meetings.minutes.front_matter import NamedAnnex
from services.meetings.minutes.text import Section, is_attachments, title_of
from shared.errors import InvalidInput
from shared.rendering.annexes import annex_label
from shared.rendering.minutes import Annex, Attached, Block, BulletList, Language, OrderedList, Run, Subheading

MOST_BOUND = 16 * 1024 * 1024
"""Bytes of all that are bound in: they lie in the sealed copy twice, once in the original that it carries."""

_LABEL = re.compile(r"(?:bilaga|annex|attachment)\s+([0-9]{1,4})", re.IGNORECASE)


def named_by(annexes: Sequence[NamedAnnex], sections: Sequence[Section]) -> dict[int, tuple[int, ...]]:
    """By an annex's number: the places of the paragraphs that name it, from 1.

    Raises InvalidInput for an annex that no paragraph names, and for a number that no annex has.
    """
    if not annexes:
        return {}
    numbers = _numbers(annexes)
    found: dict[int, list[int]] = {number: [] for number in range(1, len(annexes) + 1)}
    for place, section in enumerate(sections, 1):
        for attached in section.attachments:
            number = _number_of(attached.title, numbers)
            if number is None:
                continue
            if number not in found:
                raise InvalidInput(
                    f"line {section.line}: the paragraph names {attached.title[:60]}, but the minutes have "
                    f"{len(annexes)} annexes"
                )
            if place not in found[number]:
                found[number].append(place)
    for number, places in found.items():
        if not places:
            one = annexes[number - 1]
            raise InvalidInput(
                f"line {one.line}: annexes, number {number}: no paragraph names it",
                hint=f"write `- {one.title[:60]}` below a heading `### Bilaga` of the paragraph that it belongs to",
            )
    return {number: tuple(places) for number, places in found.items()}


def resolved(annexes: Sequence[NamedAnnex], files: Sequence[MeetingFile], *, bind: bool) -> tuple[Annex, ...]:
    """The file of each. `bind`: they lie in the PDF, as long as there is room, but for what is confidential.

    Raises InvalidInput that names the line of the first whose file is not there, or is not the one that was meant.
    """
    left = MOST_BOUND if bind else 0
    made = []
    for number, one in enumerate(annexes, 1):
        file = _file_of(one, number, files)
        bound = bind and not file.confidential and file.content.size <= left
        left -= file.content.size if bound else 0
        made.append(Annex(number=number, title=one.title, file_name=file.name, content=file.content, bound=bound))
    return tuple(made)


def with_paragraphs(annexes: Iterable[Annex], named: Mapping[int, Sequence[int]], first: int) -> tuple[Annex, ...]:
    """`named`: of `named_by`; `first`: the number of the first paragraph."""
    return tuple(
        one.model_copy(update={"paragraphs": tuple(place + first - 1 for place in named.get(one.number, ()))})
        for one in annexes
    )


def labelled(section: Section, annexes: Sequence[NamedAnnex], language: Language) -> tuple[Block, ...]:
    """Its blocks, where each line that names an annex begins with its number."""
    if not annexes:
        return section.blocks
    return tuple(_labelled(section.blocks, annexes, _numbers(annexes), language))


def attached(section: Section, annexes: Sequence[NamedAnnex]) -> tuple[Attached, ...]:
    """What it names; `annex` is the number of what is an annex."""
    numbers = _numbers(annexes)
    return tuple(_attached(one, annexes, _number_of(one.title, numbers)) for one in section.attachments)


def _attached(one: Attached, annexes: Sequence[NamedAnnex], number: int | None) -> Attached:
    if number is None or not 1 <= number <= len(annexes):
        return one
    return Attached(title=annexes[number - 1].title, annex=number)


def _labelled(
    blocks: Sequence[Block], annexes: Sequence[NamedAnnex], numbers: Mapping[str, int], language: Language
) -> Iterator[Block]:
    below = False
    for block in blocks:
        if isinstance(block, Subheading):
            below = is_attachments(block.text)
        if below and isinstance(block, BulletList | OrderedList):
            items = tuple(_item(item, annexes, numbers, language) for item in block.items)
            yield block.model_copy(update={"items": items})
        else:
            yield block


def _item(
    runs: tuple[Run, ...], annexes: Sequence[NamedAnnex], numbers: Mapping[str, int], language: Language
) -> tuple[Run, ...]:
    title = title_of(runs)
    number = _number_of(title, numbers)
    if number is None or not 1 <= number <= len(annexes):
        return runs
    label = annex_label(number, language)
    said = runs if _key(title) in numbers else (Run(text=annexes[number - 1].title),)
    return (Run(text=f"{label}: "), *said)


def _numbers(annexes: Sequence[NamedAnnex]) -> dict[str, int]:
    return {_key(one.title): number for number, one in enumerate(annexes, 1)}


def _number_of(title: str, numbers: Mapping[str, int]) -> int | None:
    """By its title, else by a label such as `Bilaga 2` alone."""
    if not numbers:
        return None
    by_label = _LABEL.fullmatch(title)
    return numbers.get(_key(title)) or (int(by_label[1]) if by_label else None)


def _file_of(annex: NamedAnnex, number: int, files: Sequence[MeetingFile]) -> MeetingFile:
    where = f"line {annex.line}: annexes, number {number}"
    named = [one for one in files if one.id == annex.file] or [
        one for one in files if _key(one.name) == _key(annex.file)
    ]
    if not named:
        raise InvalidInput(
            f"{where}: the meeting has no file {annex.file[:80]!r}",
            hint="name a file of an item on its agenda, or hand the file in for the minutes first",
        )
    meant = [one for one in named if one.content.sha256 == annex.sha256] if annex.sha256 else []
    if annex.sha256 and not meant:
        raise InvalidInput(
            f"{where}: {annex.file[:80]} is another file than the one whose SHA-256 is given",
            hint="look at the file again; a newer version of it may have been handed in",
        )
    found = meant or [one for one in named if one.last]
    if len({one.content.sha256 for one in found}) > 1:
        ids = ", ".join(dict.fromkeys(one.id for one in found))
        raise InvalidInput(
            f"{where}: the meeting has several files {annex.file[:80]!r}", hint=f"write which one by its id: {ids}"
        )
    # A file that is confidential in one place is so in another.
    return next((one for one in found if one.confidential), found[0])


def _key(text: str) -> str:
    return " ".join(text.split()).casefold()
