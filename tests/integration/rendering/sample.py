"""Minutes of an invented association, their signatures and their report, in both languages."""

from datetime import UTC, datetime

from services.meetings.minutes.minutes import number_paragraphs, parse_minutes
from shared.rendering.minutes import Attendee, Language, MinutesDocument, Stamp
from shared.rendering.report import Report, ReportEntry

CREATED = datetime(2022, 9, 26, 8, 41, 44, tzinfo=UTC)

_MEMBERS = "\n".join(
    f"  - {{name: {name}, party: {party}, municipality: {place}{role}}}"
    for name, party, place, role in (
        ("Olof Berg", "S", "Björkå", ", role: ordförande"),
        ("Anna-Karin Sjö", "C", "Granvik", ", role: 1 v. ordf."),
        ("Åsa Näs", "S", "Tallnäs", ", role: 2 v. ordf."),
        ("Viktor Holm", "M", "Forsby", ""),
        ("Sven Dahl", "C", "Granvik", ""),
        ("Andrea Strand", "S", "Älvsund", ""),
    )
)
_FRONT = f"""\
---
title: Protokoll styrelsen Kommunalförbundet Norrdalen
body: Styrelsen
place: Digitalt via Teams
starts: 2022-09-23T13:00
ends: 2022-09-23T15:00
present:
{_MEMBERS}
secretary: Maja Lind
adjuster: Sven Dahl
---
"""
_BACKGROUND = (
    "Vid styrelsens arbetsdag i juni fördes samtal om hur kommunernas behov fångas underifrån, och om vilken roll "
    "styrelsen har i den samlade styrningen av förbundet. "
)
_SECTION = """\
## {heading}

### Beslut

Styrelsen beslutar att

- Lägga informationen till handlingarna.

### Bakgrund

{background}

### Bilaga

1. Verksamhetsplan
2. Bildspel

"""
_HEADINGS = ("Ledningens information", "Uppföljning av planen", "Arbetsordning", "Möten 2023", "Övriga frågor")


def sample_minutes(language: Language = "sv") -> MinutesDocument:
    """Five paragraphs on several pages."""
    body = "".join(_SECTION.format(heading=heading, background=_BACKGROUND * 8) for heading in _HEADINGS)
    return number_paragraphs(parse_minutes(_FRONT + body), 28, language=language)


def full_minutes(language: Language = "sv") -> MinutesDocument:
    """The same, and who was absent, served, came late or left, and who else was there."""
    was_there = Attendee(name="Eva Alm", party="C", serves_for="Leo Ström", paragraphs=((28, 29), (31, 32)))
    sample = sample_minutes(language)
    return sample.model_copy(
        update={
            "present": (*sample.present, was_there),
            "absent": (Attendee(name="Leo Ström", party="C", municipality="Granvik"),),
            "others": (Attendee(name="Karin Ek", role="ekonom", paragraphs=((30, 30),)),),
            "reference": "KF 2022/14",
        }
    )


def sample_stamps(adjuster: str = "Sven Dahl") -> list[Stamp]:
    return [
        Stamp(role="secretary", name="Maja Lind", at=datetime(2022, 9, 26, 8, 58, 35, tzinfo=UTC)),
        Stamp(role="chair", name="Olof Berg", at=datetime(2022, 9, 26, 9, 9, 58, tzinfo=UTC)),
        Stamp(role="adjuster", name=adjuster, at=datetime(2022, 9, 26, 22, 4, 49, tzinfo=UTC)),
    ]


def sample_report(entries: int = 20) -> Report:
    """Two pages of events, of every mark."""
    kinds = ("AgreementCreated", "DocumentSigned", "BounceDetected", "Erased")
    return Report(
        document_name="Protokoll styrelsen Kommunalförbundet Norrdalen 2022-09-23",
        heading="Slutgiltig revideringsrapport",
        date="2022-09-26",
        fields=(
            ("Skapad", "2022-09-26"),
            ("Av", "Karin Ek (karin.ek@norrdalen.example)"),
            ("Status", "Signerat"),
            ("Transaktions-ID", "Xk29fQpLr8sTuVwYz1A3bC5dE7gH9jKmNoPqRsTuVwXy"),
        ),
        history_heading="”Protokoll styrelsen Kommunalförbundet Norrdalen 2022-09-23” – historik",
        entries=tuple(
            ReportEntry(
                kind=kinds[n % len(kinds)],
                text=f"Dokumentet har e-signerats av Maja Lind (maja.lind{n}@norrdalen.example)",
                detail=f"Signaturdatum: 2022-09-26 - 08:58:{n:02} GMT – Tidskälla: server – IP-adress: "
                "2001:db8:aaaa:bbbb:cccc:dddd:eeee:ffff",
            )
            for n in range(entries)
        ),
        language="sv",
    )
