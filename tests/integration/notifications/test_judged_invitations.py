"""A meeting's life as its members' calendars get it: by mails from a real mail server, read by three others."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tests.integration.invitations.judges import Told, ical4j_says, icalendar_reads, vobject_reads
from tests.integration.notifications.meetings import (
    BOARDS_MEETING,
    MEMBERS,
    OLOF_BERG,
    SVEN_DAHL,
    issued,
    withdrawn,
)
from tests.integration.notifications.post import OLOF, Post, eventually
from tests.support.smtp_server import Mail, RecordingSmtpServer

# As § 36 wants it: extended by half an hour, and moved into the week before summer time ends, by another update.
LONGER: dict[str, Any] = {"kind": "updated", "sequence": 3, "ends": "2022-11-25T16:00", "changes": ("time",)}
EARLIER: dict[str, Any] = {"kind": "updated", "sequence": 4, "starts": "2022-10-28T09:00", "ends": "2022-10-28T12:00"}


def calendar_in(mail: Mail) -> str:
    [part] = [one for one in mail.message.walk() if one.get_content_type() == "text/calendar"]
    return str(part.get_content())


async def test_three_judges_take_each_mail_of_a_meetings_life(
    post: Post, server: RecordingSmtpServer, tmp_path: Path
) -> None:
    facts = (
        issued("preliminary"),
        issued(sequence=2, note="Ta med datorn; fika finns, \\n också."),
        issued(**LONGER),
        issued(**EARLIER),
        issued("substitute", sequence=5, people=(SVEN_DAHL.model_copy(update={"instead_of": "Olof Berg"}),)),
        withdrawn(sequence=6, people=(SVEN_DAHL,), cancelled=False),
        withdrawn(sequence=7, people=(OLOF_BERG,)),
    )
    await post.bring_alone(*MEMBERS)
    arrived = 0
    for fact in facts:
        await post.bring_alone(fact)
        arrived += (fact.body or b"").count(b'"person_id"')

        async def all_sent(number: int = arrived) -> bool:
            return len(server.mails) == number

        await eventually(all_sent)
    texts = {f"{number}": calendar_in(mail) for number, mail in enumerate(server.mails)}
    assert ical4j_says(texts, tmp_path) == dict.fromkeys(texts, "ok")
    assert {name: icalendar_reads(text) for name, text in texts.items()} == {
        name: vobject_reads(text) for name, text in texts.items()
    }
    olofs = [icalendar_reads(calendar_in(mail)) for mail in server.mails if mail.recipient == OLOF]
    assert [(one.method, one.sequence, one.status) for one in olofs] == [
        ("REQUEST", 1, "TENTATIVE"),
        ("REQUEST", 2, "CONFIRMED"),
        ("REQUEST", 3, "CONFIRMED"),
        ("REQUEST", 4, "CONFIRMED"),
        ("CANCEL", 7, "CANCELLED"),
    ]
    assert {(one.uid, one.organiser) for one in olofs} == {(BOARDS_MEETING, olofs[0].organiser)}
    assert [hours(one) for one in olofs[:4]] == [(12, 14), (12, 14), (12, 15), (7, 10)]


def hours(one: Told) -> tuple[int, int]:
    """In UTC: an hour behind Stockholm in winter, two in summer."""
    assert one.starts < datetime(2023, 1, 1, tzinfo=UTC)
    return one.starts.hour, one.ends.hour
