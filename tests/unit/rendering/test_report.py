"""What is a line of the report, what is none, and how people are named in it."""

from datetime import UTC, datetime
from itertools import count

import pytest

from shared import history
from shared.events import (
    AgreementCancelled,
    AgreementCompleted,
    AgreementCreated,
    AgreementExpired,
    AlternateSignerAdded,
    BlobRef,
    BounceDetected,
    DocumentSigned,
    DocumentViewed,
    EmailDeferred,
    EmailSent,
    Event,
    Person,
    ReminderRequested,
    SignerInvitation,
    SignerNameEntered,
    SigningDeclined,
)
from shared.history import Entry
from shared.rendering.report import Report, as_text, build_report, signatures

BLOB = BlobRef(sha256="ab" * 32, size=1)
SENDER = Person(email="karin.ek@norrdalen.example", name="Karin Ek")
CHAIR = "olof.berg@bjorka.example"
ADJUSTER = "sven.dahl@norrdalen.example"
BASE = {"agreement_id": "id-1"}
BY = BASE | {"request_id": "r1", "place": 1, "email": CHAIR, "name": None, "ip": "192.0.2.7"}
MAIL = BASE | {"email_id": "e", "recipient": CHAIR, "request_id": "r1", "purpose": "signature-request"}
CREATED = AgreementCreated(
    **BASE,
    meeting_id="m",
    document_name="Protokoll 2022-09-23",
    document=BLOB,
    render_input=BLOB,
    template_version="1",
    sender=SENDER,
    ip="192.0.2.1",
    signers=(
        SignerInvitation(role="chair", email=CHAIR),
        SignerInvitation(role="adjuster", email=ADJUSTER, name="Sven"),
    ),
    language="en",
    timezone="Europe/Stockholm",
)
SENT = EmailSent(**MAIL, message_id="<1@x.example>")
NAMED = SignerNameEntered(**BY | {"name": "Olof Berg"})
SIGNED = DocumentSigned(
    **BY | {"name": "Olof Berg"}, role="chair", document_sha256="ab" * 32, language="sv", document_name="Protokoll"
)
COMPLETED = AgreementCompleted(
    **BASE,
    meeting_id="m",
    document_name="Protokoll 2022-09-23",
    document=BLOB,
    render_input=BLOB,
    template_version="1",
    recipients=(SENDER,),
    language="sv",
    timezone="Europe/Stockholm",
)
BOUNCE = {"status": "5.1.1", "diagnostic": "550", "permanent": True}


def entries(*events: Event | tuple[Event, int]) -> list[Entry]:
    """Events of one a minute from 09:00, or at the minute given with them."""
    minutes = count()
    made = []
    for n, item in enumerate([CREATED, *events]):
        event, minute = item if isinstance(item, tuple) else (item, next(minutes))
        when = datetime(2022, 9, 26, 9, minute, tzinfo=UTC)
        made.append(history.append("0" * 64, n, event, time=when, recorded=when, salt=bytes(32)))
    return made


def lines(*events: Event | tuple[Event, int]) -> list[str]:
    return [entry.text for entry in build_report(entries(*events)).entries[1:]]


def status(report: Report) -> tuple[str, str]:
    return report.heading, report.fields[2][1]


def test_only_the_first_mail_that_asks_is_a_line() -> None:
    others = [EmailSent(**MAIL | {"purpose": p}, message_id="<2@x.example>") for p in ("request-again", "reminder")]
    assert lines(SENT, SENT, *others) == [f"Document emailed to {CHAIR} for signature"]


def test_views_after_the_first_reminders_and_deferrals_are_none() -> None:
    reminder = ReminderRequested(
        **BASE, request_id="r1", version=1, place=0, role="chair", email=CHAIR, name=None, language="sv",
        document_name="P", sender=SENDER, expires="2022-10-26T08:00:00Z",
    )  # fmt: skip
    deferred = EmailDeferred(**MAIL, status="4.2.0", diagnostic="later")
    views = [DocumentViewed(**BY, first=first) for first in (True, False)]
    assert lines(*views, reminder, deferred) == [f"Email viewed by {CHAIR}"]


def test_a_bounce_of_any_mail_of_a_request_is_a_line_by_address() -> None:
    again = BounceDetected(**MAIL | {"purpose": "request-again"}, **BOUNCE)
    assert lines(NAMED, again)[1] == f"Email sent to {CHAIR} bounced and could not be delivered"


def test_people_are_named_from_when_their_name_is_known_in_the_order_of_time() -> None:
    late_sent, late_view = (SENT, 1), (DocumentViewed(**BY, first=True), 5)
    assert lines((NAMED, 3), late_view, late_sent) == [
        f"Document emailed to {CHAIR} for signature",
        f"Signer {CHAIR} entered name at signing as Olof Berg",
        f"Email viewed by Olof Berg ({CHAIR})",
    ]


def test_a_name_given_from_the_start_is_known_whatever_the_case_of_the_address() -> None:
    view = DocumentViewed(**BY | {"email": ADJUSTER.upper()}, first=True)
    assert lines(view) == [f"Email viewed by Sven ({ADJUSTER.upper()})"]


def test_an_alternate_with_a_name() -> None:
    added = AlternateSignerAdded(
        **BASE, place=1, by=SENDER, ip="192.0.2.1", original_request_id="r1", original_email=ADJUSTER,
        original_name="Sven", request_id="r2", email="sven.dahl@granvik.example", name="Sven Dahl",
    )  # fmt: skip
    assert lines(added) == [
        "Karin Ek (karin.ek@norrdalen.example) added alternate signer Sven Dahl (sven.dahl@granvik.example). "
        f"The original signer Sven ({ADJUSTER}) can still sign."
    ]


DECLINED = SigningDeclined(**BY, role="chair", reason="fel {datum}")
CANCELLED = AgreementCancelled(**BASE, by=SENDER, reason="fel version", ip="192.0.2.1")
EXPIRED = AgreementExpired(**BASE)


@pytest.mark.parametrize(
    ("event", "sv", "en"),
    [
        (SENT, ("Revideringsrapport", "Väntar på signering"), ("Audit Report", "Out for signature")),
        (DECLINED, ("Slutgiltig revideringsrapport", "Avböjt"), ("Final Audit Report", "Declined")),
        (CANCELLED, ("Slutgiltig revideringsrapport", "Återkallat"), ("Final Audit Report", "Cancelled")),
        (EXPIRED, ("Slutgiltig revideringsrapport", "Utgånget"), ("Final Audit Report", "Expired")),
        (COMPLETED, ("Slutgiltig revideringsrapport", "Signerat"), ("Final Audit Report", "Signed")),
    ],
)
def test_heading_and_status(event: Event, sv: tuple[str, str], en: tuple[str, str]) -> None:
    assert status(build_report(entries(event), language="sv")) == sv
    assert status(build_report(entries(event), language="en")) == en


def test_the_lines_of_an_end_that_is_no_completion() -> None:
    report = build_report(entries(DECLINED, CANCELLED, EXPIRED), language="sv")
    assert [(entry.text, entry.detail) for entry in report.entries[1:]] == [
        (f"{CHAIR} avböjde att signera. Skäl: fel {{datum}}", "2022-09-26 - 09:01:00 GMT – IP-adress: 192.0.2.7"),
        (
            "Karin Ek (karin.ek@norrdalen.example) återkallade avtalet. Skäl: fel version",
            "2022-09-26 - 09:02:00 GMT – IP-adress: 192.0.2.1",
        ),
        ("Avtalet har löpt ut.", "2022-09-26 - 09:03:00 GMT"),
    ]
    english = build_report(entries(DECLINED, CANCELLED, EXPIRED))
    assert [entry.text for entry in english.entries[1:]] == [
        f"{CHAIR} declined to sign. Reason: fel {{datum}}",
        "Karin Ek (karin.ek@norrdalen.example) cancelled the agreement. Reason: fel version",
        "Agreement expired.",
    ]


def test_the_date_is_the_last_lines() -> None:
    made = entries(SENT)
    later = datetime(2022, 9, 28, 23, 30, tzinfo=UTC)
    made.append(
        history.append("0" * 64, 2, DocumentViewed(**BY, first=True), time=later, recorded=later, salt=bytes(32))
    )
    report = build_report(made)
    assert (report.date, report.fields[0]) == ("2022-09-28", ("Created", "2022-09-26"))


def test_the_sealed_report_ends_with_the_completion_even_if_older_facts_came_later() -> None:
    bounced = BounceDetected(**MAIL, **BOUNCE)
    made = entries((SENT, 1), (SIGNED, 2), (COMPLETED, 2), (bounced, 1))
    assert [entry.kind for entry in build_report(made, sealed_only=True).entries] == [
        "AgreementCreated", "EmailSent", "DocumentSigned", "AgreementCompleted",
    ]  # fmt: skip
    assert [entry.kind for entry in build_report(made).entries][1:3] == ["EmailSent", "BounceDetected"]


def test_erased_entries_leave_neutral_lines_and_silent_ones_none() -> None:
    made = entries(SENT, NAMED, SIGNED, EmailDeferred(**MAIL, status="4.2.0", diagnostic="later"), COMPLETED)
    text = as_text(build_report([entry.erased() for entry in made]))
    assert text.count("Uppgiften är raderad\n  2022-09-26") == 4
    assert "Status: Signerat" in text
    assert "- Avtal har slutförts." in text
    assert "@" not in text


def test_what_later_entries_still_tell_heads_a_report_whose_creation_is_erased() -> None:
    made = entries(SENT, SIGNED)
    report = build_report([made[0].erased(), *made[1:]], language="en")
    assert report.document_name == "Protokoll"
    assert report.fields[1:] == (("By", "Entry erased"), ("Status", "Out for signature"), ("Transaction ID", "id-1"))


def test_a_sender_without_a_name_is_called_by_address() -> None:
    made = entries()
    made[0] = history.append(
        "0" * 64, 0, CREATED.model_copy(update={"sender": Person(email="k@norrdalen.example")}), time=made[0].time,
        recorded=made[0].time, salt=bytes(32),
    )  # fmt: skip
    report = build_report(made)
    assert report.fields[1] == ("By", "k@norrdalen.example")
    assert report.entries[0].text == "Document created by k@norrdalen.example"


def test_signatures_are_told_with_place_and_address() -> None:
    [signature] = signatures(entries(NAMED, SIGNED))
    assert (signature.place, signature.role, signature.name, signature.ip) == (1, "chair", "Olof Berg", "192.0.2.7")


def test_no_report_without_entries() -> None:
    with pytest.raises(ValueError, match="without entries"):
        build_report([])
