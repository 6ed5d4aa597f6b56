"""Who was at a meeting, in words: the same on the pages, on a signer's phone and in HTML. Pure."""

from itertools import pairwise

from shared.rendering.minutes import Attendee, Language, MinutesDocument

_WORDS: dict[Language, dict[str, str]] = {
    "sv": {
        "present": "Närvarande",
        "absent": "Frånvarande",
        "others": "Övriga närvarande",
        "serves": "tjänstgör för {}",
        "came": "Deltar från och med denna paragraf: {}",
        "gone": "Deltar inte längre: {}",
    },
    "en": {
        "present": "Present",
        "absent": "Absent",
        "others": "Others present",
        "serves": "serving for {}",
        "came": "From this paragraph on: {}",
        "gone": "No longer there: {}",
    },
}


def people_of(document: MinutesDocument) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """Each list that has somebody, under its heading: `Olof Berg (S), Björkå, ordförande`."""
    words = _WORDS[document.language]
    lists = {"present": document.present, "absent": document.absent, "others": document.others}
    return tuple(
        (words[kind], tuple(line_of(person, document.language) for person in people))
        for kind, people in lists.items()
        if people
    )


def line_of(person: Attendee, language: Language) -> str:
    party = f" ({person.party})" if person.party else ""
    serves = _WORDS[language]["serves"].format(person.serves_for) if person.serves_for else ""
    parts = (person.name + party, person.municipality, person.role, serves, _there(person.paragraphs))
    return ", ".join(part for part in parts if part)


def changes_of(document: MinutesDocument) -> dict[int, tuple[str, ...]]:
    """By a paragraph's number: who of the present came to it, and who was no longer there."""
    words = _WORDS[document.language]
    numbers = [paragraph.number for paragraph in document.paragraphs]
    changes = {}
    for before, number in pairwise(numbers):
        came = [who.name for who in document.present if who.was_at(number) and not who.was_at(before)]
        gone = [who.name for who in document.present if who.was_at(before) and not who.was_at(number)]
        lines = [words[kind].format(", ".join(who)) for kind, who in (("gone", gone), ("came", came)) if who]
        if lines:
            changes[number] = tuple(lines)
    return changes


def _there(spans: tuple[tuple[int, int], ...]) -> str:
    """`§ 28` or `§§ 28–30, 33`; no-break after the sign."""
    if not spans:
        return ""
    shown = ", ".join(str(first) if first == last else f"{first}–{last}" for first, last in spans)
    return f"{'§' if shown.isdecimal() else '§§'}\N{NO-BREAK SPACE}{shown}"
