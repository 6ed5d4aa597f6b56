"""Composed mails: the words, the headers, and that no name or title can forge one."""

import email
import email.policy
import re
from dataclasses import replace
from datetime import UTC, date, datetime
from email.header import decode_header, make_header
from email.message import EmailMessage
from email.utils import parseaddr

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markupsafe import Markup, escape

from services.notifications.letter.languages import Language
from services.notifications.letter.letter import (
    MAIL_POLICY,
    Letter,
    Person,
    Purpose,
    ascii_address,
    compose,
    message_id,
    quotable,
)
from services.notifications.letter.meeting_words import AgendaItem, InsteadFacts, MeetingFacts
from services.notifications.letter.meeting_words import words as meeting_words
from services.notifications.letter.plan_words import change_line, meeting_line
from shared.errors import InvalidInput
from shared.events.meetings import PlanChange, PlannedMeeting
from shared.plain_text import forbidden_character

LETTER = Letter(
    purpose=Purpose.SIGNATURE_REQUEST,
    language="sv",
    document="Protokoll styrelsen Kommunförbundet Norrdalen",
    sender=Person("karin.ek@norrdalen.example", "Karin Ek"),
    recipient=Person("olof.berg@bjorka.example", "Olof Berg"),
    link="https://justera.norrdalen.example/s/k1.norrdalen.abc.1.x?språk".replace("å", "%C3%A5"),
    other=Person("sven.dahl@norrdalen.example"),
    signed_at="12 mars 2026 10:58 GMT+1",
    second_link="https://justera.norrdalen.example/signing/overview/x/alternate/y",
    who="Maja Lind eller olof.berg@bjorka.example",
    quoted="550 5.1.1 <sven.dahl@norrdalen.example>: no such user here",
    status="5.1.1",
    deadline="26 mars 2026 10:45 GMT+1",
    lines=("Fredag 24 februari 2023 kl. 09:00–12:00: Styrelsen, Digitalt", "Fredag 31 mars 2023 kl. 09:00: Forsby"),
)
MEETING = MeetingFacts(
    body="Styrelsen",
    title=LETTER.document,
    place="Björka kommunhus",
    mode="hybrid",
    starts=datetime(2026, 3, 27, 13),
    ends=datetime(2026, 3, 28, 12),
    timezone="Europe/Stockholm",
    sequence=1,
    agenda=(AgendaItem(title="Val av justerare", kind="election", minutes=5),),
    changes=("time", "place", "mode", "title", "agenda", "papers", "people", "unheard-of"),
    before_starts=datetime(2026, 3, 20, 13),
    before_place="Digitalt",
    answer_by=date(2026, 3, 20),
    note=("Ta med datorn.",),
    late=("Budget.pdf",),
    instead_of="Maja Lind",
    reason="För få kan komma",
    needed=7,
)
WITHOUT_LINK = {
    Purpose.NOTICE_WITHDRAWN,
    Purpose.NOTICE_RELEASED,
    Purpose.NOTICE_UNREACHED,
    Purpose.PROPOSAL_RECEIVED,
    Purpose.DECLINE_RECEIPT,
    Purpose.ENDED_DECLINED,
    Purpose.ENDED_CANCELLED,
    Purpose.ENDED_EXPIRED,
    Purpose.REQUEST_WITHDRAWN,
    Purpose.PLAN_ADOPTED,
    Purpose.PLAN_CHANGED,
    Purpose.DATE_POLL_CALLED_OFF,
    Purpose.DATE_POLL_UNREACHED,
    Purpose.REVIEW_CALLED_OFF,
    Purpose.TASK_SOON,
    Purpose.TASK_TODAY,
    Purpose.TASK_HANDED,
    Purpose.TASK_RELIEVED,
    Purpose.TASK_WITHDRAWN,
    Purpose.PUBLICATION_ADJUST_NEAR,
    Purpose.PUBLICATION_ADJUST_MISSED,
    Purpose.PUBLICATION_POST_NEAR,
    Purpose.PUBLICATION_POST_MISSED,
}
WITH_TWO_LINKS = {
    Purpose.BOUNCE_NOTICE,
    Purpose.DEADLINE_NOTICE,
    Purpose.NOTICE_PRELIMINARY,
    Purpose.NOTICE,
    Purpose.NOTICE_UPDATED,
    Purpose.NOTICE_SUBSTITUTE,
    Purpose.NOTICE_REMINDER,
}


def compose_letter(letter: Letter) -> EmailMessage:
    return compose(
        letter,
        mail_from=Person("signering@norrdalen.example", "Kommunförbundet Norrdalen"),
        date=datetime(2026, 3, 12, 8, 41, 44, tzinfo=UTC),
        message_id=message_id("01890a5d-ac96-774b-bcce-b302099a8057", "norrdalen.example"),
    )


def received(letter: Letter) -> EmailMessage:
    """As the recipient's program reads it, from the bytes that were sent."""
    raw = compose_letter(letter).as_bytes(policy=MAIL_POLICY)
    assert raw.isascii()
    assert max(len(line) for line in raw.splitlines()) <= 998
    message = email.message_from_bytes(raw, policy=email.policy.default)
    assert isinstance(message, EmailMessage)
    assert not message.defects
    return message


def words(message: EmailMessage, kind: str) -> str:
    body = message.get_body((kind,))
    assert body is not None
    text: str = body.get_content()
    return text


def test_the_headers() -> None:
    message = received(LETTER)
    assert message["From"].addresses[0].display_name == "Kommunförbundet Norrdalen"
    assert message["To"] == "Olof Berg <olof.berg@bjorka.example>"
    assert message["Reply-To"] == "Karin Ek <karin.ek@norrdalen.example>"
    assert message["Subject"] == "Signera: Protokoll styrelsen Kommunförbundet Norrdalen"
    assert message["Date"].datetime == datetime(2026, 3, 12, 8, 41, 44, tzinfo=UTC)
    assert message["Message-ID"] == "<01890a5d-ac96-774b-bcce-b302099a8057@norrdalen.example>"
    assert message["Auto-Submitted"] == "auto-generated"
    assert message["Content-Language"] == "sv"


def test_the_request_in_swedish_as_text() -> None:
    assert words(received(LETTER), "plain").replace("\r\n", "\n") == (
        "Hej Olof Berg!\n\n"
        "Karin Ek ber dig signera ”Protokoll styrelsen Kommunförbundet Norrdalen”.\n\n"
        f"Läs och signera:\n{LETTER.link}\n\n"
        "Sista tid att signera är 26 mars 2026 10:45 GMT+1.\n\n"
        "Du läser dokumentet först och signerar sedan på samma sida. När du har signerat får du ett kvitto, "
        "och när alla har signerat får du en länk till den förseglade kopian.\n\n"
        "Länken är personlig. Skicka den inte vidare.\n\n"
        "-- \n"
        "Det här mejlet skickades automatiskt för Karin Ek (karin.ek@norrdalen.example). "
        "Blev något fel, eller väntade du dig inte mejlet? Svara på det, så når du Karin Ek.\n"
    )


@pytest.mark.parametrize("language", ["sv", "en"])
@pytest.mark.parametrize("purpose", list(Purpose))
def test_every_mail_says_the_same_in_text_and_html(purpose: Purpose, language: Language) -> None:
    message = received(replace(LETTER, purpose=purpose, language=language, meeting=meeting_words(MEETING, language)))
    text, html = words(message, "plain").replace("\r\n", "\n"), words(message, "html")
    assert text.count(LETTER.link) == (0 if purpose in WITHOUT_LINK else 1)
    assert html.count(f'href="{LETTER.link}"') == (0 if purpose in WITHOUT_LINK else 2)
    assert text.count(LETTER.second_link) == html.count(LETTER.second_link) == (1 if purpose in WITH_TWO_LINKS else 0)
    assert f'<html lang="{language}">' in html
    assert LETTER.document in message["Subject"]
    assert LETTER.document in text
    assert "{" not in text + message["Subject"]
    for paragraph in text.partition("\n-- \n")[0].split("\n\n"):
        if LETTER.link not in paragraph and LETTER.second_link not in paragraph:
            assert escape(paragraph.strip()).replace("\n", Markup("<br>")) in html


@pytest.mark.parametrize(
    ("purpose", "phrase"),
    [
        (Purpose.ALTERNATE_REQUEST, "alternativ signerare för sven.dahl@norrdalen.example"),
        (Purpose.REQUEST_AGAIN, "Karin Ek har bett sven.dahl@norrdalen.example"),
        (Purpose.REMINDER, "Karin Ek väntar på att du signerar"),
        (Purpose.RECEIPT, "Du signerade 12 mars 2026 10:58 GMT+1"),
        (Purpose.ARCHIVED, "Alla har signerat"),
        (Purpose.EXTRACT, "(karin.ek@norrdalen.example) skickar dig ett utdrag ur ”Protokoll styrelsen"),
        (Purpose.EXTRACT, "fungerar till 26 mars 2026 10:45 GMT+1"),
        (Purpose.EXTRACT_UNREACHED, "Mejlet till sven.dahl@norrdalen.example med utdraget ur"),
        (Purpose.BOUNCE_NOTICE, "”550 5.1.1 <sven.dahl@norrdalen.example>: no such user here” (kod 5.1.1)"),
        (Purpose.BOUNCE_NOTICE, f"Lägg till en alternativ signerare:\r\n{LETTER.second_link}"),
        (Purpose.DEADLINE_NOTICE, "går ut 26 mars 2026 10:45 GMT+1. Maja Lind eller olof.berg@bjorka.example har inte"),
        (Purpose.DECLINED_NOTICE, "sven.dahl@norrdalen.example har avböjt att signera"),
        (Purpose.EXPIRED_NOTICE, "signerades inte av alla i tid"),
        (Purpose.DECLINE_RECEIPT, "Du avböjde 12 mars 2026 10:58 GMT+1. Skälet som du angav: ”550"),
        (Purpose.ENDED_DECLINED, "har avböjt. Dokumentet kan inte längre signeras, och din signatur används inte"),
        (Purpose.ENDED_CANCELLED, "men Karin Ek har återkallat det"),
        (Purpose.ENDED_EXPIRED, "men alla hann inte signera innan tiden gick ut"),
        (Purpose.DATE_POLL, "Svara senast 26 mars 2026 10:45 GMT+1. Länken öppnar din egen sida"),
        (Purpose.REVIEW, "Säg senast 26 mars 2026 10:45 GMT+1 att du godkänner det"),
        (Purpose.REVIEW_AGAIN, "vad som är borttaget och tillagt"),
        (Purpose.REVIEW_CALLED_OFF, "Det gäller inte längre"),
        (Purpose.REVIEW_COMMENTED, "Maja Lind eller olof.berg@bjorka.example har kommenterat protokollet"),
        (Purpose.REVIEW_UNREACHED, "Ett mejl till sven.dahl@norrdalen.example med länken till protokollet"),
        (Purpose.REVIEW_AGREED, "godkänner det, Maja Lind eller olof.berg@bjorka.example sist"),
        (Purpose.REQUEST_WITHDRAWN, "men Karin Ek har återkallat dokumentet"),
        (Purpose.DATE_POLL_UNREACHED, "Ett mejl till sven.dahl@norrdalen.example om vilka dagar"),
        (Purpose.DATE_POLL_CALLED_OFF, "gäller inte längre"),
        (Purpose.TASK_SOON, "ska vara klar 26 mars 2026 10:45 GMT+1"),
        (Purpose.TASK_TODAY, "ska vara klar i dag, 26 mars 2026"),
        (Purpose.TASK_HANDED, "Du har fått en uppgift, som ska vara klar 26 mars 2026"),
        (Purpose.TASK_RELIEVED, "En uppgift som du har fått är inte din längre"),
        (Purpose.TASK_WITHDRAWN, "En uppgift som du har fått är återtagen"),
        (Purpose.PUBLICATION_ADJUST_NEAR, "ska vara justerat senast 26 mars 2026"),
        (Purpose.PUBLICATION_ADJUST_MISSED, "skulle ha varit justerat senast 26 mars 2026"),
        (Purpose.PUBLICATION_POST_NEAR, "Det ska stå på anslagstavlan senast 26 mars 2026"),
        (Purpose.PUBLICATION_POST_MISSED, "skulle ha stått på anslagstavlan senast 26 mars 2026"),
        (Purpose.NOTICE, "När: fredag 27 mars 2026 kl. 13:00 – lördag 28 mars 2026 kl. 12:00\r\nVar: Björka kommunhus"),
        (Purpose.NOTICE_UPDATED, "Ny plats: Björka kommunhus (förut Digitalt)\r\nMötet hålls nu på plats och digitalt"),
        (Purpose.NOTICE_SUBSTITUTE, "som ersättare för Maja Lind, som inte kan komma, till Styrelsen"),
        (Purpose.NOTICE_REMINDER, "Du har inte svarat om du kommer till Styrelsen"),
        (Purpose.NOTICE_WITHDRAWN, "Skälet: ”För få kan komma”"),
        (Purpose.PROPOSAL_RECEIVED, "föreslår en punkt till Styrelsen"),
        (Purpose.PROPOSAL_TAKEN, "står nu på dagordningen för Styrelsen"),
        (Purpose.PROPOSAL_DECLINED, "Skälet: ”550 5.1.1"),
        (Purpose.NOTICE_UNREACHED, "E-postservern skrev: ”550 5.1.1"),
    ],
)
def test_each_purpose_says_its_own(purpose: Purpose, phrase: str) -> None:
    letter = replace(LETTER, purpose=purpose, meeting=meeting_words(MEETING, "sv"))
    assert phrase in words(received(letter), "plain")


@pytest.mark.parametrize("purpose", [Purpose.ENDED_DECLINED, Purpose.ENDED_CANCELLED, Purpose.ENDED_EXPIRED])
def test_those_who_had_signed_are_not_told_the_reason(purpose: Purpose) -> None:
    assert "550" not in words(received(replace(LETTER, purpose=purpose)), "plain")


@pytest.mark.parametrize("purpose", [Purpose.PUBLICATION_POST_NEAR, Purpose.PUBLICATION_POST_MISSED])
def test_an_association_is_told_of_no_appeal(purpose: Purpose) -> None:
    assert "överklaga" not in words(received(replace(LETTER, purpose=purpose)), "plain")
    assert "appeal" not in words(received(replace(LETTER, purpose=purpose, language="en")), "plain")


@pytest.mark.parametrize(
    ("said", "fit"),
    [
        ("550 5.1.1 Olof\r\n 550 unknown\t user", "550 5.1.1 Olof 550 unknown user"),
        ("evil\x00\u202etext\u2028more\ud800", "eviltext more"),
        ("x" * 3000, "x" * 1999 + "…"),
    ],
)
def test_a_mail_servers_words_are_made_fit_to_quote(said: str, fit: str) -> None:
    assert quotable(said) == fit
    compose_letter(replace(LETTER, purpose=Purpose.BOUNCE_NOTICE, quoted=quotable(said)))


def test_a_receipt_needs_no_link() -> None:
    message = received(replace(LETTER, purpose=Purpose.RECEIPT, link=""))
    assert "http" not in words(message, "plain")
    assert "href" not in words(message, "html")


def test_the_link_to_an_online_meeting_is_one_in_both_and_has_to_be_whole() -> None:
    link = "https://mote.norrdalen.example/styrelsen"
    letter = replace(LETTER, purpose=Purpose.NOTICE, meeting=meeting_words(MEETING, "sv", link))
    text, html = words(received(letter), "plain"), words(received(letter), "html")
    assert f"Hur: på plats och digitalt\r\nAnslut: {link}\r\n" in text
    assert html.count(f'<a href="{link}"') == 1
    with pytest.raises(InvalidInput):
        received(replace(letter, meeting=meeting_words(MEETING, "sv", "javascript:alert(1)")))


@pytest.mark.parametrize(("language", "said", "other"), [("sv", "Digitalt", "Online"), ("en", "Online", "Digitalt")])
def test_an_online_meeting_without_a_place_is_where_its_reader_says_so(
    language: Language, said: str, other: str
) -> None:
    instead = InsteadFacts(title="Styrelsen", place=other, mode="digital", starts=datetime(2026, 4, 10, 13))
    changed = {"place": other, "mode": "digital", "changes": ("place",), "before_place": other}
    told = meeting_words(MEETING.model_copy(update=changed | {"taken_over_by": instead}), language)
    assert told.place == said
    assert f": {said} (" in told.changed[0]
    assert told.changed[0].endswith(f" {said})")
    assert told.instead.endswith(f", {said}")


@pytest.mark.parametrize(("language", "said"), [("sv", "Digitalt"), ("en", "Online")])
def test_a_plans_online_meetings_are_where_their_reader_says_so(language: Language, said: str) -> None:
    planned = {"meeting_id": "a", "title": "AU", "starts": "2026-03-27T13:00", "ends": "2026-03-27T15:00"}
    digital = PlannedMeeting(**planned, place="Digitalt", mode="digital")
    assert meeting_line(digital, language).endswith(f": AU, {said}")
    moved = PlanChange(
        kind="changed", meeting=digital, before=PlannedMeeting(**planned, place="Online", mode="digital")
    )
    assert change_line(moved, language).endswith(f": AU, {said}"), "nothing that a reader would see is otherwise"
    from_forsby = PlanChange(kind="changed", meeting=digital, before=PlannedMeeting(**planned, place="Forsby"))
    assert change_line(from_forsby, language).endswith(" Forsby)")


def test_markup_in_names_and_titles_is_text() -> None:
    title = "<b>{{ 7 * 7 }}</b> & 'x'"
    message = received(replace(LETTER, document=title, recipient=Person("a@b.example", "<script>alert(1)</script>")))
    assert title in words(message, "plain")
    assert "<script" not in words(message, "html")
    assert "&lt;b&gt;{{ 7 * 7 }}&lt;/b&gt;" in words(message, "html")


@pytest.mark.parametrize("bad", ["x\r\nBcc: c@d.example", "x\ny", "x\x00", "\u202egnp.exe", "x\u2028y"])
@pytest.mark.parametrize("where", ["document", "sender", "recipient", "other", "signed_at"])
def test_a_line_break_or_direction_character_is_refused(where: str, bad: str) -> None:
    value = bad if where in ("document", "signed_at") else Person("a@b.example", bad)
    with pytest.raises(InvalidInput):
        compose_letter(replace(LETTER, **{where: value}))  # type: ignore[arg-type]


@given(st.text(min_size=1, max_size=120), st.text(max_size=120))
def test_no_text_forges_a_header(title: str, name: str) -> None:
    letter = replace(LETTER, document=title, recipient=Person("olof.berg@bjorka.example", name))
    refused = forbidden_character(title) or forbidden_character(name) or not title.strip()
    if refused:
        with pytest.raises(InvalidInput):
            compose_letter(letter)
        return
    raw = compose_letter(letter).as_bytes(policy=MAIL_POLICY)
    names = re.findall(rb"^([A-Za-z-]+):", raw.partition(b"\r\n\r\n")[0], re.MULTILINE)
    assert sorted(names) == sorted(set(names))
    message = received(letter)
    assert [each.addr_spec for each in message["To"].addresses] == ["olof.berg@bjorka.example"]
    assert message["Bcc"] is None


@pytest.mark.parametrize(
    "changes",
    [
        {"link": ""},
        {"link": "javascript:alert(1)"},
        {"link": "https://x.example/ y"},
        {"document": " "},
        {"document": "x" * 501},
        {"purpose": Purpose.REQUEST_AGAIN, "other": None},
        {"purpose": Purpose.NOTICE, "meeting": None},
        {"recipient": Person("åke@norrdalen.example")},
        {"recipient": Person("a@b.example, c@d.example")},
    ],
)
def test_what_cannot_make_a_mail_is_refused(changes: dict[str, object]) -> None:
    with pytest.raises(InvalidInput):
        compose_letter(replace(LETTER, **changes))  # type: ignore[arg-type]


def test_a_message_id_is_checked() -> None:
    with pytest.raises(InvalidInput):
        compose(LETTER, mail_from=LETTER.sender, date=datetime(2026, 3, 12, tzinfo=UTC), message_id="<a b@c>")


def test_an_international_domain_becomes_ascii() -> None:
    assert ascii_address("olof@björkå.example") == "olof@xn--bjrk-toa3h.example"


WORDS = ["Värmdö", "Gällö,", "Ö;", "protokoll", "2022-09-23", "”citat”", "–", "Kommunalförbundet", "x"]
TITLES = st.lists(st.sampled_from(WORDS), min_size=1)
NAMES = st.lists(
    st.sampled_from(["Åsa", "von", "(x)", "Gällö,", '"K"', "O'Neil", "=?utf-8?q?x?=", "Ek", "a@b"]), min_size=1
)


@given(
    TITLES.map(" ".join).map(lambda title: title[:300].strip()),
    NAMES.map(" ".join).map(lambda name: name[:150].strip()),
)
def test_titles_and_names_are_read_as_they_were_written(title: str, name: str) -> None:
    letter = replace(LETTER, document=title, recipient=Person("olof.berg@bjorka.example", name))
    raw = compose_letter(letter).as_bytes(policy=MAIL_POLICY)
    head = raw.partition(b"\r\n\r\n")[0]
    assert head.isascii()
    assert max(map(len, head.split(b"\r\n"))) <= 998
    read = email.message_from_bytes(raw, policy=email.policy.default)
    assert str(read["Subject"]).endswith(title)
    # Read as RFC 2047 says: the standard library's newer reader puts a space between two encoded words.
    encoded, address = parseaddr(email.message_from_bytes(raw)["To"])
    assert address == "olof.berg@bjorka.example"
    assert str(make_header(decode_header(encoded))) == name


def test_a_sender_whose_address_no_header_can_hold_is_named_in_the_text() -> None:
    message = compose_letter(replace(LETTER, sender=Person("björn.ek@norrdalen.example", "Björn Ek")))
    assert message["Reply-To"] is None
    assert "Björn Ek" in message.get_body(("plain",)).get_content()  # type: ignore[union-attr]


def test_international_domains_keep_their_letters() -> None:
    assert ascii_address("anna@straße.example") == "anna@xn--strae-oqa.example"
