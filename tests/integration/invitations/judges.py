"""What three others say of a calendar: `icalendar`, `vobject`, and ical4j, whose validator knows iTIP (RFC 5546)."""

import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import icalendar
import vobject

from tests.support.maven import java

_PROGRAM = str(Path(__file__).with_name("Itip.java"))
_ICAL4J = "org.mnode.ical4j:ical4j:4.2.5"


@dataclass(frozen=True)
class Told:
    """What a calendar program makes of it. Times are UTC."""

    method: str
    uid: str
    sequence: int
    starts: datetime
    ends: datetime
    organiser: str
    status: str


def icalendar_reads(text: str) -> Told:
    read = icalendar.Calendar.from_ical(text)
    [event] = read.walk("VEVENT")
    return Told(
        str(read["METHOD"]),
        str(event["UID"]),
        int(event["SEQUENCE"]),
        event.decoded("DTSTART").astimezone(UTC),
        event.decoded("DTEND").astimezone(UTC),
        str(event["ORGANIZER"]),
        str(event.get("STATUS", "")),
    )


def vobject_reads(text: str) -> Told:
    read: Any = vobject.readOne(text)
    event = read.vevent
    return Told(
        read.method.value,
        event.uid.value,
        int(event.sequence.value),
        event.dtstart.value.astimezone(UTC),
        event.dtend.value.astimezone(UTC),
        event.organizer.value,
        event.status.value if "status" in event.contents else "",
    )


def ical4j_says(texts: Mapping[str, str], folder: Path) -> dict[str, str]:
    """Of each by its name: `ok`, or what is wrong. In one run, since Java takes its time to start."""
    for name, text in texts.items():
        (folder / f"{name}.ics").write_text(text, encoding="utf-8", newline="")
    command = java("ical4j", _ICAL4J, "org.slf4j:slf4j-nop:2.0.17", program=_PROGRAM)
    files = [str(folder / f"{name}.ics") for name in texts]
    done = subprocess.run([*command, *files], capture_output=True, text=True, check=True)
    said = dict(line.split(": ", 1) for line in done.stdout.splitlines())
    return {name: said[f"{name}.ics"] for name in texts}
