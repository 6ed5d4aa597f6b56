"""A calendar's answer that a replay mails is one that the real parser reads."""

from datetime import UTC, datetime
from email.message import EmailMessage

import pytest

from services.notifications.invitation.calendar_replies import CalendarReply, read_reply
from services.notifications.invitation.invitation import Invitation, Method, attach
from services.notifications.invitation.simulated_reply import Said, reply_mail
from services.notifications.letter.letter import Person
from services.notifications.report.report import organiser_token
from shared.errors import InvalidInput, NotFound

AT = datetime(2023, 2, 17, 18, tzinfo=UTC)
ORGANISER = f"answers+k1-{'a' * 45}@bounces.norrdalen.example"


def invitation() -> EmailMessage:
    message = EmailMessage()
    message.set_content("Välkommen")
    invited = Invitation(
        method=Method.REQUEST,
        uid="01a2235c-37b5-7303-9bfc-e1d05ccd5961",
        sequence=3,
        title="Styrelsen sammanträder",
        place="Forsby",
        starts=datetime(2023, 2, 24, 9),
        ends=datetime(2023, 2, 24, 12),
        timezone="Europe/Stockholm",
        stamp=AT,
        organiser=Person(ORGANISER, "Norrdalen"),
        attendee=Person("olof.berg@bjorka.example", "Olof Berg"),
    )
    attach(message, invited)
    return message


@pytest.mark.parametrize(
    ("answer", "partstat"), [("coming", "ACCEPTED"), ("absent", "DECLINED"), ("tentative", "TENTATIVE")]
)
def test_it_is_read_as_what_was_said(answer: str, partstat: str) -> None:
    raw = reply_mail(invitation(), Said(answer, "sven.dahl@forsby.example", "Är på väg, kanske sen"), at=AT)
    found = read_reply(raw)
    assert isinstance(found, CalendarReply)
    assert (found.method, found.uid, found.sequence) == ("REPLY", "01a2235c-37b5-7303-9bfc-e1d05ccd5961", 3)
    assert [(one.address, one.partstat) for one in found.attendees] == [("sven.dahl@forsby.example", partstat)]
    assert (found.comment, found.stamp) == ("Är på väg, kanske sen", AT)
    assert organiser_token(raw) == ORGANISER.partition("@")[0]


def test_what_is_no_answer_or_no_invitation_is_refused() -> None:
    with pytest.raises(InvalidInput):
        reply_mail(invitation(), Said("accepted", "olof.berg@bjorka.example"), at=AT)
    with pytest.raises(NotFound):
        reply_mail(EmailMessage(), Said("coming", "olof.berg@bjorka.example"), at=AT)
