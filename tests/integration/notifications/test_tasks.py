"""Which mails a task's day leads to: who does it gets one for each reminder, and nobody else gets any."""

from datetime import datetime
from typing import Any

import pytest

from shared.events import Event, TaskChanged, TaskDue, TaskWithdrawn, event_type
from shared.events.envelope import Envelope, kafka_headers
from shared.ids import new_id
from shared.messaging.message import RawMessage
from tests.integration.notifications.meetings import BOARD, MEMBERS, OLOF_BERG, SVEN_DAHL
from tests.integration.notifications.post import OLOF, ORGANISATION, START, Post, eventually, words
from tests.support.smtp_server import RecordingSmtpServer

TASK = "01a2235c-3f10-7b02-8f51-0c5d2e6a7b91"


def told(event: Event, sequence: int = 2, at: datetime = START) -> RawMessage:
    envelope = Envelope(
        id=new_id(),
        source="/services/meetings",
        type=event_type(event),
        subject=TASK,
        time=at,
        organisation=ORGANISATION,
        sequence=sequence,
        correlation_id="m",
        key=BOARD,
        data=event.to_json(),
    )
    return RawMessage(event.topic, 0, 0, BOARD, tuple(kafka_headers(envelope.attributes())), envelope.data.encode())


def due(reminder: str = "week", **facts: Any) -> RawMessage:
    given: dict[str, Any] = {
        "task_id": TASK,
        "meeting_id": "m",
        "paragraph": 32,
        "held_on": "2022-09-23",
        "body_id": BOARD,
        "body": "Styrelsen",
        "what": "ta fram ett förslag till ramverk",
        "reminder": reminder,
        "due": "2022-10-14",
        "people": (OLOF_BERG,),
    }
    return told(TaskDue(**given | facts))


@pytest.mark.parametrize(
    ("reminder", "language", "subject", "said"),
    [
        ("week", "sv", "En vecka kvar: ta fram ett förslag", "ska vara klar fredag 14 oktober 2022"),
        ("day", "sv", "Ska vara klart i dag: ta fram", "Du får inga fler mejl om den här dagen."),
        ("week", "en", "A week left: ta fram", "is to be done by Friday 14 October 2022"),
        ("day", "en", "To be done today: ta fram", "You get no more e-mails about this day."),
    ],
)
async def test_who_does_it_is_reminded_in_their_language(
    post: Post, server: RecordingSmtpServer, reminder: str, language: str, subject: str, said: str
) -> None:
    olof = OLOF_BERG.model_copy(update={"language": language})
    message = due(reminder, people=(olof,))
    await post.bring(*MEMBERS, message)
    await post.bring(message)

    async def is_sent() -> bool:
        return len(server.mails) == 1

    await eventually(is_sent)
    [mail] = server.mails
    assert mail.recipient == OLOF
    assert str(mail.message["Subject"]).startswith(subject)
    text = words(mail)
    assert said in " ".join(text.split())
    assert "§ 32, Styrelsen" in text
    assert "http" not in text, "there is nothing to open"


async def test_who_has_no_place_in_the_body_is_not_mailed(post: Post) -> None:
    stranger = SVEN_DAHL.model_copy(update={"person_id": "stranger", "email": "eve@elsewhere.example"})
    await post.bring(*MEMBERS, due(people=(stranger,)))
    assert await post.deliveries() == []


async def test_whose_it_is_and_whose_it_is_no_more_are_told(post: Post, server: RecordingSmtpServer) -> None:
    given = {"task_id": TASK, "meeting_id": "m", "paragraph": 32, "held_on": "2022-09-23", "body_id": BOARD}
    given |= {"body": "Styrelsen", "what": "ta fram ett förslag till ramverk", "due": "2022-10-14"}
    changed = told(TaskChanged.model_validate(given | {"people": (SVEN_DAHL,), "relieved": (OLOF_BERG,)}))
    await post.bring(*MEMBERS, changed, told(TaskChanged.model_validate(given)))  # the last as it was told before

    async def are_sent() -> bool:
        return len(server.mails) == 2

    await eventually(are_sent)
    by = {mail.recipient: mail for mail in server.mails}
    assert by[OLOF].message["Subject"].startswith("Uppgiften är inte din längre: ta fram ett förslag")
    [other] = [mail for mail in server.mails if mail.recipient != OLOF]
    assert (other.recipient, other.message["Subject"][:22]) == (SVEN_DAHL.email, "The task is yours now:")
    assert "is to be done by Friday 14 October 2022" in " ".join(words(other).split())
    assert "§ 32, Styrelsen, 23 September 2022" in words(other)


async def test_who_was_reminded_is_told_that_it_is_withdrawn(post: Post, server: RecordingSmtpServer) -> None:
    given = {"task_id": TASK, "meeting_id": "m", "paragraph": 32, "held_on": "2022-09-23", "body_id": BOARD}
    given |= {"body": "Styrelsen", "what": "ta fram ett förslag till ramverk", "reason": "Fel paragraf"}
    gone = told(TaskWithdrawn.model_validate(given | {"people": (OLOF_BERG,)}))
    await post.bring(*MEMBERS, gone, told(TaskWithdrawn.model_validate(given)))  # the last as it was told before

    async def is_sent() -> bool:
        return len(server.mails) == 1

    await eventually(is_sent)
    [mail] = server.mails
    assert mail.recipient == OLOF
    assert mail.message["Subject"].startswith("Uppgiften är återtagen: ta fram ett förslag")
    assert "§ 32, Styrelsen, 23 september 2022" in words(mail)
    assert "Skälet: ”Fel paragraf”" in words(mail)
