"""Answers of calendar programs: read in every shape that was met, and believed of the person who was invited only."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.notifications.invitation.calendar_replies import (
    Answer,
    Attendee,
    CalendarReply,
    NotBelieved,
    answer_of,
    read_reply,
)
from services.notifications.report.report import read_report
from shared.errors import InvalidInput
from tests.support.calendar_replies import APPLE, GOOGLE, OUTLOOK, PROGRAMS, filled, in_mail

UID = "01a2235c-37b5-7303-9bfc-e1d05ccd5961"
OLOF = "olof.berg@björka.example"
AS_INVITED = "olof.berg@xn--bjrka-kua.example"
SAID = datetime(2022, 9, 26, 8, 41, 44, tzinfo=UTC)
INVITED = SAID - timedelta(days=1, microseconds=-500)
NOW = SAID + timedelta(minutes=5)


def answer(
    raw: bytes, *, before: Answer | None = None, latest: int = 3, now: datetime = NOW, address: str = OLOF
) -> Answer | None:
    reply = read_reply(raw)
    assert reply is not None
    return answer_of(reply, uid=UID, addresses=[address], latest=latest, invited_at=INVITED, now=now, before=before)


def google(**said: object) -> bytes:
    return in_mail(filled(GOOGLE, attendee=AS_INVITED, **said))


@pytest.mark.parametrize("encoding", ["8bit", "base64", "quoted-printable"])
@pytest.mark.parametrize("program", PROGRAMS)
@pytest.mark.parametrize(
    ("partstat", "said"), [("ACCEPTED", "coming"), ("DECLINED", "absent"), ("TENTATIVE", "tentative")]
)
def test_each_programs_answer_is_read(program: str, encoding: str, partstat: str, said: str) -> None:
    calendar = filled(PROGRAMS[program], attendee=AS_INVITED, partstat=partstat, sequence=2)
    found = answer(in_mail(calendar, encoding=encoding))
    assert found == Answer(said, 2, SAID, "Kommer lite, lite sent")


@pytest.mark.parametrize("charset", ["utf-8", "latin-1", "utf-8-sig"])
def test_names_outside_ascii_in_any_charset(charset: str) -> None:
    calendar = filled(GOOGLE.replace("Kommer lite, lite sent", "Åker på"), attendee=AS_INVITED)
    octets = calendar.encode(charset)
    found = answer(in_mail(octets, charset="latin-1" if charset == "latin-1" else "utf-8"))
    assert found is not None
    assert found.comment == "Åker på"


def test_a_fold_may_cut_a_character_and_lines_end_as_they_like() -> None:
    for end in (b"\n", b"\r\n", b"\r"):
        octets = filled(APPLE.replace("Kommer lite", "Åker nog"), attendee=AS_INVITED).encode().replace(b"\n", end)
        cut = octets.replace("Å".encode(), b"\xc3" + end + b" \x85")
        found = answer(in_mail(cut, encoding="base64"))
        assert found is not None
        assert found.comment == "Åker nog, lite sent"


def test_case_of_letters_is_no_matter() -> None:
    calendar = filled(APPLE, attendee=AS_INVITED, uid=UID.upper())
    shouted = calendar.replace("ATTENDEE;", "attendee;").replace("PARTSTAT=ACC", "partstat=acc").lower()
    assert answer(in_mail(shouted.replace("dtstamp", "DtStamp"))) is not None
    loud = filled(OUTLOOK, attendee=AS_INVITED.upper())
    assert answer(in_mail(loud, content_type="TEXT/CALENDAR; METHOD=reply")) is not None


@pytest.mark.parametrize(
    "content_type", ["application/ics", 'application/octet-stream; name="invite.ICS"', "text/calendar"]
)
def test_an_attached_file_is_read_too(content_type: str) -> None:
    assert answer(in_mail(filled(GOOGLE, attendee=AS_INVITED), content_type=content_type, encoding="base64"))


def test_a_delegate_answers_for_who_was_invited() -> None:
    calendar = filled(OUTLOOK, attendee=AS_INVITED).replace("ATTENDEE;", 'ATTENDEE;SENT-BY="mailto:a@b.example";')
    assert answer(in_mail(calendar)) is not None


@pytest.mark.parametrize(
    ("raw", "why"),
    [
        (in_mail(filled(GOOGLE, attendee="sven.dahl@norrdalen.example")), "somebody else's"),
        (in_mail(filled(GOOGLE, attendee=AS_INVITED, uid="other")), "another event"),
        (in_mail(filled(GOOGLE, attendee=AS_INVITED, partstat="DELEGATED")), "neither yes, no nor perhaps"),
        (in_mail(filled(GOOGLE, attendee=AS_INVITED).replace(":REPLY", ":COUNTER")), "COUNTER"),
        (
            in_mail(
                filled(GOOGLE, attendee=AS_INVITED).replace(
                    "SEQUENCE:", f"ATTENDEE;PARTSTAT=DECLINED:mailto:{AS_INVITED}\nSEQUENCE:"
                )
            ),
            "says two things",
        ),
    ],
)
def test_what_is_not_believed_says_why(raw: bytes, why: str) -> None:
    with pytest.raises(NotBelieved, match=why):
        answer(raw)


def test_who_has_not_made_up_their_mind_says_nothing() -> None:
    assert answer(google(partstat="NEEDS-ACTION")) is None


def test_the_same_again_is_no_news_and_an_overtaken_one_is_none_either() -> None:
    first = answer(google())
    assert first is not None
    assert answer(google(), before=first) is None
    assert answer(google(partstat="DECLINED", stamp="20220926T084143Z"), before=first) is None
    assert answer(google(partstat="DECLINED"), before=first) is not None
    assert answer(google(sequence=2), before=first) is not None


def test_an_answer_to_an_old_invitation_says_which_and_none_answers_one_that_was_not_sent() -> None:
    newer = Answer("coming", 3, SAID - timedelta(hours=1))
    old = answer(google(partstat="DECLINED", sequence=1), before=newer)
    assert old is not None
    assert (old.answer, old.sequence) == ("absent", 1)
    ahead = answer(google(sequence=99))
    assert ahead is not None
    assert ahead.sequence == 3


def test_a_clock_that_is_ahead_does_not_make_later_answers_older() -> None:
    found = answer(google(stamp="20990101T000000Z"))
    assert found is not None
    assert found.at == NOW


def test_a_comment_brings_no_link_of_ours_and_no_second_line() -> None:
    token = "k1.norrdalen.olof.1." + "x" * 43
    said = f"https://justera.norrdalen.example/meetings/my/{token}\\nBcc: x"
    found = answer(in_mail(filled(APPLE.replace("Kommer lite\\, lite sent", said), attendee=AS_INVITED)))
    assert found is not None
    assert found.comment is not None
    assert found.comment == "https://justera.norrdalen.example/meetings/my/[redacted]Bcc: x"


RETURNED = """\
From: MAILER-DAEMON@mx.bjorka.example
To: bounces+x@norrdalen.example
Subject: Undelivered Mail Returned to Sender
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary="R"

--R
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.bjorka.example

Final-Recipient: rfc822; olof.berg@bjorka.example
Action: failed
Status: 5.1.1

--R
Content-Type: message/rfc822

{mail}
--R--
"""


def test_a_bounce_that_returns_an_answer_is_a_bounce_and_an_answer_is_none() -> None:
    returned = RETURNED.format(mail=google().decode()).encode()
    assert read_reply(returned) is None
    assert [one.status for one in read_report(returned)] == ["5.1.1"]
    bare = returned.replace(b"multipart/report; report-type=delivery-status", b"multipart/mixed")
    assert read_reply(bare) is None
    subject = in_mail(filled(GOOGLE, attendee=AS_INVITED), subject="Undeliverable: 5.1.1 user unknown")
    assert read_reply(subject) is not None


def test_an_invitation_is_no_answer() -> None:
    for method in ("REQUEST", "CANCEL", "PUBLISH", ""):
        calendar = filled(GOOGLE, attendee=AS_INVITED).replace("METHOD:REPLY", f"METHOD:{method}")
        content_type = f"text/calendar; method={method}" if method else "text/calendar"
        assert read_reply(in_mail(calendar, content_type=content_type)) is None
    assert read_reply(b"Subject: calendar\r\n\r\nJag kommer!") is None


LARGE = {
    "10 MB": lambda: google() + b"x" * 10_000_000,
    "a calendar of 300 KiB": lambda: in_mail(filled(GOOGLE).replace("LOCATION:", "LOCATION:" + "x" * 300_000)),
    "a million lines": lambda: google() + b"\r\n" * 1_000_000,
    "thousands of lines": lambda: in_mail(filled(GOOGLE).replace("TRANSP", "X-A:1\n" * 5000 + "TRANSP")),
}


@pytest.mark.parametrize("name", LARGE)
def test_one_that_is_too_large_is_refused_in_one_sentence(name: str) -> None:
    with pytest.raises(InvalidInput, match=r"^the (mail|calendar in the mail) (is larger|has more) than [\d]+ ?\w+$"):
        read_reply(LARGE[name]())


def test_what_a_calendar_holds_beside_the_answer_costs_nothing() -> None:
    """Rules for every second of a thousand years, and parts within parts: not looked at."""
    rules = "BEGIN:VTIMEZONE\nBEGIN:STANDARD\nRRULE:FREQ=SECONDLY;UNTIL=30000101T000000Z\nEND:STANDARD\nEND:VTIMEZONE\n"
    nested = "BEGIN:VEVENT\n" * 1500 + "END:VEVENT\n" * 1500
    calendar = filled(GOOGLE, attendee=AS_INVITED).replace("BEGIN:VEVENT", rules + "BEGIN:VEVENT", 1)
    found = answer(in_mail(calendar.replace("END:VEVENT", nested + "END:VEVENT", 1)))
    assert found is not None


def test_only_the_first_events_own_lines_count() -> None:
    other = "BEGIN:VALARM\nATTENDEE;PARTSTAT=DECLINED:mailto:{attendee}\nUID:x\nEND:VALARM\n"
    calendar = filled(GOOGLE.replace("DTSTART", other + "DTSTART"), attendee=AS_INVITED)
    found = answer(in_mail(calendar))
    assert found is not None
    assert found.answer == "coming"


@given(st.binary(max_size=2000))
@settings(max_examples=300)
def test_whatever_stands_in_a_calendar_part_it_is_an_answer_or_none_or_refused(octets: bytes) -> None:
    for raw in (octets, in_mail(octets), in_mail(b"BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nATTENDEE" + octets)):
        try:
            reply = read_reply(raw)
        except InvalidInput:
            continue
        assert reply is None or isinstance(reply, CalendarReply)


@given(st.data())
@settings(max_examples=300)
def test_whatever_is_changed_in_an_answer_it_is_never_another_ones(data: st.DataObject) -> None:
    raw = bytearray(in_mail(filled(data.draw(st.sampled_from(list(PROGRAMS.values()))), attendee=AS_INVITED)))
    for _ in range(data.draw(st.integers(1, 20))):
        at = data.draw(st.integers(0, len(raw) - 1))
        raw[at : at + data.draw(st.integers(0, 3))] = data.draw(st.binary(max_size=3))
    try:
        reply = read_reply(bytes(raw))
    except InvalidInput:
        return
    if reply is None:
        return
    try:
        found = answer_of(reply, uid=UID, addresses=[OLOF], latest=3, invited_at=INVITED, now=NOW, before=None)
    except NotBelieved:
        return
    if found is not None:
        assert found.answer in ("coming", "absent", "tentative")
        assert 0 <= found.sequence <= 3
        assert found.at <= NOW
        assert len(found.comment or "") <= 500


def test_a_time_that_was_copied_from_the_invitation_says_nothing_of_when_it_was_answered() -> None:
    """The page was answered an hour after the invitation; what comes from the calendar then is the later answer."""
    reply = CalendarReply("REPLY", UID, 3, INVITED.replace(microsecond=0), (Attendee(OLOF, "DECLINED"),))
    known = {"uid": UID, "addresses": [OLOF], "latest": 3, "invited_at": INVITED, "now": NOW}
    first = answer_of(reply, **known, before=Answer("coming", 3, INVITED + timedelta(hours=1)))
    assert first == Answer("absent", 3, NOW)
    again = replace(reply, attendees=(Attendee(OLOF, "ACCEPTED"),))
    assert answer_of(again, **known, before=first) == Answer("coming", 3, NOW), (
        "the same time: the later to arrive holds"
    )
    to_an_earlier_one = replace(reply, sequence=2)
    assert answer_of(to_an_earlier_one, **known, before=Answer("coming", 3, INVITED + timedelta(hours=1))) is None


def test_of_two_answers_of_one_second_the_later_to_arrive_holds() -> None:
    reply = CalendarReply("REPLY", UID, 3, SAID, (Attendee(OLOF, "DECLINED"),))
    known = {"uid": UID, "addresses": [OLOF], "latest": 3, "invited_at": INVITED, "now": NOW}
    on_the_page = Answer("coming", 3, SAID + timedelta(microseconds=900_000))
    assert answer_of(reply, **known, before=on_the_page) == Answer("absent", 3, SAID)
    assert answer_of(reply, **known, before=Answer("coming", 3, SAID + timedelta(seconds=1))) is None
