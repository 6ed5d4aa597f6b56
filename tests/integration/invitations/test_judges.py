"""Three others read our invitations: `icalendar`, `vobject`, and ical4j, which knows what iTIP wants (RFC 5546)."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from io import StringIO
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import icalendar
import pytest
import vobject
from dateutil import tz

from services.notifications.invitation.invitation import Invitation, Method, attach, calendar
from services.notifications.letter.letter import MAIL_POLICY, Person
from shared.calendars import vtimezone
from shared.errors import InvalidInput
from tests.integration.invitations.judges import ical4j_says

INVITATION = Invitation(
    method=Method.REQUEST,
    uid="01a2235c-37b5-7303-9bfc-e1d05ccd5961@norrdalen.example",
    sequence=3,
    title="Styrelsen sammanträder; §§ 37-45, digitalt",
    place='Björka kommunhus, rum "Älven"\\B',
    starts=datetime(2022, 11, 25, 13),
    ends=datetime(2022, 11, 25, 15, 30),
    timezone="Europe/Stockholm",
    stamp=datetime(2022, 11, 18, 7, 0, 0, 5, tzinfo=UTC),
    organiser=Person("kallelse@norrdalen.example", "Förbundet Norrdalen"),
    attendee=Person("olof.berg@björka.example", 'Olof "Olle" Berg; ordförande, m.m.'),
    text="1. Val av justerare\n2. Uppföljning, från den 28 oktober\n" + "Lång rad med åäö. " * 40,
    page="https://justera.norrdalen.example/meetings/my/k1.norrdalen.olof.1.x?meeting=1&answer=coming",
    join_link="https://mote.norrdalen.example/styrelsen?a=1&b=2",
)
CASES = {
    "request": INVITATION,
    "cancel": replace(INVITATION, method=Method.CANCEL, sequence=4),
    "preliminary": replace(INVITATION, tentative=True),
    "uninvited": replace(INVITATION, method=Method.CANCEL, attendee_only=True),
    "summer": replace(INVITATION, starts=datetime(2023, 6, 1, 9), ends=datetime(2023, 6, 1, 16)),
    "two-days": replace(INVITATION, starts=datetime(2022, 12, 31, 12), ends=datetime(2023, 1, 1, 12)),
    "utc": replace(INVITATION, timezone="Etc/UTC"),
    "helsinki": replace(INVITATION, timezone="Europe/Helsinki"),
    "azores": replace(INVITATION, timezone="Atlantic/Azores"),
    "new-york": replace(INVITATION, timezone="America/New_York"),
    "bare": replace(INVITATION, text="", page="", join_link="", attendee=Person("maja.lind@norrdalen.example")),
}


@pytest.mark.parametrize("name", CASES)
def test_icalendar_reads_what_was_said(name: str) -> None:
    said = CASES[name]
    read = icalendar.Calendar.from_ical(calendar(said))
    [event] = read.walk("VEVENT")
    zone = ZoneInfo(said.timezone)
    assert read["METHOD"] == said.method
    assert (event["UID"], event["SEQUENCE"]) == (said.uid, said.sequence)
    assert event.decoded("DTSTART") == said.starts.replace(tzinfo=zone)
    assert event.decoded("DTEND") == said.ends.replace(tzinfo=zone)
    assert event["DTSTART"].params.get("TZID", "Etc/UTC") == said.timezone
    assert (str(event["SUMMARY"]), str(event["LOCATION"])) == (said.title, said.place)
    assert str(event.get("DESCRIPTION", "")) == said.text
    assert (str(event.get("URL", "")), str(event.get("CONFERENCE", ""))) == (said.page, said.join_link)
    assert event["ORGANIZER"] == f"mailto:{said.organiser.email}"
    assert event["ATTENDEE"].params.get("CN", "") == said.attendee.name.replace('"', "'")
    assert "PARTSTAT" not in event["ATTENDEE"].params or said.method is Method.REQUEST


@pytest.mark.parametrize("name", CASES)
def test_vobject_reads_the_same(name: str) -> None:
    said = CASES[name]
    read: Any = vobject.readOne(calendar(said))
    event = read.vevent
    assert (read.method.value, event.uid.value, event.sequence.value) == (said.method, said.uid, str(said.sequence))
    starts = event.dtstart.value.astimezone(UTC)
    assert starts == said.starts.replace(tzinfo=ZoneInfo(said.timezone)).astimezone(UTC)
    assert (event.summary.value, event.location.value) == (said.title, said.place)
    status = "CANCELLED" if said.method is Method.CANCEL else "TENTATIVE" if said.tentative else "CONFIRMED"
    assert [one.value for one in event.contents.get("status", [])] == ([] if said.attendee_only else [status])


def test_ical4j_finds_nothing_against_them_by_itip_and_something_against_broken_ones(tmp_path: Path) -> None:
    texts = {name: calendar(said) for name, said in CASES.items()}
    broken = {
        "no-organiser": _without(texts["request"], "ORGANIZER"),
        "no-attendee": _without(texts["request"], "ATTENDEE"),
        "no-uid": _without(texts["request"], "UID"),
        "no-sequence": _without(texts["cancel"], "SEQUENCE"),
    }
    said = ical4j_says(texts | broken, tmp_path)
    assert {name: said[name] for name in texts} == dict.fromkeys(texts, "ok")
    assert {name for name in broken if said[name] != "ok"} == set(broken)


def test_the_hours_hold_for_a_program_that_knows_the_zone_only_from_the_mail() -> None:
    """As Outlook does: it reckons by the VTIMEZONE, under whatever name."""
    for month, offset in ((11, 1), (6, 2), (3, 1), (4, 2)):
        said = replace(INVITATION, starts=datetime(2023, month, 20, 9), ends=datetime(2023, month, 20, 10))
        renamed = calendar(said).replace("Europe/Stockholm", "Nowhere/Known")
        read: Any = vobject.readOne(renamed)
        assert read.vevent.dtstart.value.utcoffset() == timedelta(hours=offset)


ZONES = ("Europe/Stockholm", "Europe/Helsinki", "Europe/Dublin", "America/New_York", "Australia/Sydney", "Asia/Kolkata")


@pytest.mark.parametrize("zone", [*ZONES, "America/Asuncion", "Africa/Casablanca"])
def test_a_spelled_out_zone_holds_at_each_hour_around_its_changes(zone: str) -> None:
    """Two of them changed their rules, or change by the moon: then no yearly rule is claimed."""
    text = vtimezone(zone, 2024).to_ical().decode()
    reckoned = tz.tzical(StringIO(text)).get()
    for hours in range(366 * 24):
        moment = datetime(2024, 1, 1, tzinfo=UTC) + timedelta(hours=hours)
        wall = moment.astimezone(ZoneInfo(zone)).replace(tzinfo=None)
        unambiguous = {wall.replace(tzinfo=ZoneInfo(zone), fold=fold).utcoffset() for fold in (0, 1)}
        if len(unambiguous) == 1:
            assert wall.replace(tzinfo=reckoned).utcoffset() in unambiguous, (zone, wall)
    assert "RRULE" not in text or zone in ZONES


def test_lines_are_folded_and_a_name_makes_no_line_of_its_own() -> None:
    said = replace(INVITATION, attendee=Person("olof@bjorka.example", 'Olof":ATTACH:file'))
    lines = calendar(said).split("\r\n")
    assert max(len(line.encode()) for line in lines) <= 75  # RFC 5545 section 3.1
    assert not [line for line in lines if line.startswith("ATTACH")]
    for changed in (
        {"title": "a\r\nATTACH:x"},
        {"place": "a\u202eb"},
        {"attendee": Person("olof@bjorka.example", "a\nb")},
        {"text": "a\x07b"},
        {"title": "x" * 501},
        {"join_link": "javascript:alert(1)"},
        {"page": "javascript:alert(1)"},
        {"ends": datetime(2022, 11, 25, 12)},
        {"organiser": Person("not an address")},
    ):
        with pytest.raises(InvalidInput):
            calendar(replace(said, **changed))


def test_it_is_the_last_of_a_mails_alternatives_and_says_its_method() -> None:
    message = EmailMessage(policy=MAIL_POLICY)
    message["From"] = "kallelse@norrdalen.example"
    message["To"] = "olof.berg@bjorka.example"
    message.set_content("Du kallas.")
    message.add_alternative("<p>Du kallas.</p>", subtype="html")
    attach(message, INVITATION)
    raw = message.as_bytes()
    assert raw.isascii()
    read = message_from_bytes(raw, policy=policy.default)
    assert [part.get_content_type() for part in read.iter_parts()] == ["text/plain", "text/html", "text/calendar"]
    part = list(read.iter_parts())[-1]
    assert (part.get_param("method"), part.get_content_charset()) == ("REQUEST", "utf-8")
    [event] = icalendar.Calendar.from_ical(part.get_content()).walk("VEVENT")
    assert str(event["SUMMARY"]) == INVITATION.title
    assert event["DTSTAMP"].dt == datetime(2022, 11, 18, 7, tzinfo=UTC)
    assert event["DTSTART"].dt.date() == date(2022, 11, 25)


def _without(text: str, name: str) -> str:
    unfolded = text.replace("\r\n ", "")
    return "\r\n".join(line for line in unfolded.split("\r\n") if not line.startswith((f"{name}:", f"{name};")))
