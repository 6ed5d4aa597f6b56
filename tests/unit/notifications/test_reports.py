"""Delivery reports: what is read from each kind, and that nothing a stranger sends does harm."""

import base64
import quopri
import time
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from services.notifications.report.report import MAX_REPORT_BYTES, DeliveryReport, read_report
from shared.errors import InvalidInput

SAMPLES = Path(__file__).parents[2] / "data" / "delivery_reports"
TOKEN = "k1-" + "a2" * 22 + "a"


def sample(name: str) -> bytes:
    return (SAMPLES / f"{name}.eml").read_bytes().replace(b"k1-TOKEN", TOKEN.encode())


REPORTS = {path.stem: sample(path.stem) for path in sorted(SAMPLES.glob("*.eml"))}


def test_a_standard_report_is_read_whole() -> None:
    assert read_report(sample("standard")) == (
        DeliveryReport(
            recipient="sven.dahl@granvik.example",
            action="failed",
            status="5.1.1",
            diagnostic="550 5.1.1 <sven.dahl@granvik.example>: Recipient address rejected: "
            "User unknown in virtual mailbox table",
            envelope_id=TOKEN,
            return_path_token=TOKEN,
        ),
    )


@pytest.mark.parametrize(
    ("name", "status", "failure", "permanent", "delayed"),
    [
        ("standard", "5.1.1", True, True, False),
        ("delayed", "4.4.1", False, False, True),
        ("international", "5.1.1", True, True, False),
        ("qmail", "5.1.1", True, True, False),
        ("exim", "5.1.1", True, True, False),
        ("smtp32", "5.3.0", True, True, False),
        ("still-trying", "4.0.0", False, False, True),
        ("report-without-status", "5.3.0", True, True, False),
        ("full-mailbox", "5.2.2", True, True, False),
    ],
)
def test_each_kind_is_told_apart(name: str, status: str, failure: bool, permanent: bool, delayed: bool) -> None:
    [report] = read_report(sample(name))
    assert (report.status, report.is_failure, report.is_permanent, report.is_delayed) == (
        status,
        failure,
        permanent,
        delayed,
    )
    assert report.recipient == ("åke@björkå.example" if name == "international" else "sven.dahl@granvik.example")
    assert report.return_path_token == TOKEN


@pytest.mark.parametrize("name", ["out-of-office", "read-receipt"])
def test_an_automatic_reply_is_no_bounce(name: str) -> None:
    assert read_report(sample(name)) == ()


def test_a_mail_of_our_own_is_no_bounce() -> None:
    own = b"From: signering@norrdalen.example\nAuto-Submitted: auto-generated\n\nDelivery has failed\n[a@b.example]\n"
    assert read_report(own) == ()


def test_the_report_inside_a_returned_mail_is_not_this_mails_report() -> None:
    forwarded = b"From: maja.lind@norrdalen.example\nContent-Type: message/rfc822\n\n" + sample("standard")
    with_comment = (
        b"From: maja.lind@norrdalen.example\nAuto-Submitted: auto-replied\n"
        b'Content-Type: multipart/mixed; boundary="X"\n\n--X\nContent-Type: text/plain\n\nSe nedan.\n--X\n'
        b"Content-Type: message/rfc822\n\n" + sample("standard") + b"\n--X--\n"
    )
    assert read_report(with_comment) == ()
    with pytest.raises(InvalidInput):
        read_report(forwarded)


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ("Final-Recipient: rfc822; a@b.example\nAction: failed\nStatus: 4.4.7", ("failed", "4.4.7", False)),
        ("Final-Recipient: rfc822; a@b.example\nAction: failed (mailbox unknown)", ("failed", "5.0.0", True)),
        ("Final-Recipient: rfc822; a@b.example\nAction: error\nStatus: 5.2.2", ("failed", "5.2.2", True)),
        ("Final-Recipient: rfc822; a@b.example\nStatus: 5.2.2 (full)", ("failed", "5.2.2", True)),
        ("Final-Recipient: rfc822; a@b.example\nStatus: 4.2.2", ("delayed", "4.2.2", False)),
        ("Final-Recipient: <a@b.example>\nAction: failed\nStatus: 2.0.0", ("failed", "5.0.0", True)),
        ("Final-Recipient: a@b.example\nAction: DELAYED", ("delayed", "4.0.0", False)),
        ("Final-Recipient: rfc822;a@b.example\nAction: relayed\nStatus: 2.1.9", ("relayed", "2.1.9", False)),
        (
            "Final-Recipient: rfc822;a@b.example\nAction: failed\nDiagnostic-Code: smtp; 552-5.2.2 full",
            ("failed", "5.2.2", True),
        ),
        (
            "Final-Recipient: rfc822;a@b.example\nAction: failed\nDiagnostic-Code: smtp; 452 later",
            ("failed", "4.0.0", False),
        ),
    ],
)
def test_loose_fields(fields: str, expected: tuple[str, str, bool]) -> None:
    raw = f"Content-Type: message/delivery-status\n\nReporting-MTA: dns; x\n\n{fields}\n"
    [report] = read_report(raw.encode())
    assert (report.action, report.status, report.is_permanent) == expected
    assert report.recipient == "a@b.example"


def test_several_recipients_are_several_reports() -> None:
    one = "Final-Recipient: rfc822; {}@b.example\nAction: {}\nStatus: {}\n\n"
    raw = "Content-Type: message/delivery-status\n\n" + one.format("a", "failed", "5.1.1")
    raw += one.format("c", "delivered", "2.0.0") + one.format("a", "failed", "5.1.1")
    assert [(each.recipient, each.action) for each in read_report(raw.encode())] == [
        ("a@b.example", "failed"),
        ("c@b.example", "delivered"),
    ]


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ("Final-Recipient: rfc822; a@b.example\nthis is no field\nAction: failed\nStatus: 5.1.1", ("failed", "5.1.1")),
        ("Final-Recipient: rfc822; a@b.example\n\nAction: failed\n\nStatus: 5.1.1", ("failed", "5.1.1")),
        ("Final-Recipient: rfc822; a@b.example\nAction: expired", ("failed", "4.4.7")),
        ("Action: failed\nStatus: 5.7.1", ("failed", "5.7.1")),
        (
            "Final-Recipient: rfc822; a@b.example\nAction: failed\nStatus: 5.0.0\nDiagnostic-Code: smtp;550 4.4.7 Old",
            ("failed", "4.4.7"),
        ),
    ],
)
def test_fields_out_of_order_hide_nothing(fields: str, expected: tuple[str, str]) -> None:
    raw = f"Content-Type: message/delivery-status\n\nReporting-MTA: dns; x\n\n{fields}\n"
    [report] = read_report(raw.encode())
    assert (report.action, report.status) == expected


def test_fields_as_text_are_read() -> None:
    head = "From: MAILER-DAEMON@mx.example\nSubject: Delivery Status\nContent-Type: text/plain\n\nTeknisk uppgift:\n\n"
    fields = (
        "Action: {}\nFinal-Recipient: rfc822; a@b.example\nDiagnostic-Code: smtp; 550 5.1.1 no mailbox\nStatus: {}\n"
    )
    [report] = read_report((head + fields.format("failed", "5.1.1")).encode())
    assert (report.action, report.status, report.diagnostic) == ("failed", "5.1.1", "550 5.1.1 no mailbox")
    [report] = read_report((head + fields.format("delayed", "4.4.1")).encode())
    assert (report.is_delayed, report.status) == (True, "4.4.1")


@pytest.mark.parametrize("encoding", ["base64", "quoted-printable"])
def test_an_encoded_status_part_is_decoded(encoding: str) -> None:
    fields = b"Reporting-MTA: dns; x\n\nFinal-Recipient: rfc822; a@b.example\nAction: failed\nStatus: 5.1.1\n"
    body = base64.encodebytes(fields) if encoding == "base64" else quopri.encodestring(fields)
    head = f"Content-Type: message/delivery-status\nContent-Transfer-Encoding: {encoding}\n\n"
    [report] = read_report(head.encode() + body)
    assert (report.recipient, report.status) == ("a@b.example", "5.1.1")


def test_latin_1_in_an_address_is_read() -> None:
    raw = "Content-Type: message/delivery-status\n\nFinal-Recipient: rfc822; åke@b.example\nAction: failed\n"
    [report] = read_report(raw.encode("latin-1"))
    assert report.recipient == "åke@b.example"


def test_diagnostics_are_one_short_line_without_direction_characters() -> None:
    raw = "Content-Type: message/delivery-status\n\nFinal-Recipient: rfc822; a@b.example\nAction: failed\n"
    raw += "Diagnostic-Code: smtp; 550 no\x07\n\tsuch \u202euser" + " x" * 5000 + "\n"
    [report] = read_report(raw.encode())
    assert report.diagnostic.startswith("550 no such user x x")
    assert len(report.diagnostic) <= 1000


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"\r\n \r\n",
        b"x" * (MAX_REPORT_BYTES + 1),
        b"Subject: Hej\n\nVad betyder detta?\n",
        b"Subject: x\n\n" + b"\n" * 60_000,
        b"Content-Type: multipart/mixed; boundary=b\n" * 50 + b"\n",
        b"Content-Type: multipart/mixed;" + b"\n x=y;" * 2000 + b"\n\n",
        b"From: " + b'("' * 200_000 + b"\n\nx",
    ],
)
def test_what_is_no_report_is_refused_with_one_line(raw: bytes) -> None:
    with pytest.raises(InvalidInput) as refusal:
        read_report(raw)
    assert refusal.value.message
    assert "\n" not in refusal.value.message


HOSTILE = {
    "nested parts": b"".join(b"Content-Type: multipart/mixed; boundary=b%d\n\n--b%d\n" % (i, i) for i in range(39))
    + b"x\n" * 45_000,
    "many groups": b"Content-Type: message/delivery-status\n\n" + b"a: b\n\n" * 24_000,
    "long status": b"Content-Type: message/delivery-status\n\nFinal-Recipient: rfc822; a@b.c\nStatus: "
    + b"5." * 400_000,
    "one endless line": b"Subject: x\n\n" + b"a" * 1_000_000,
    "wording with commas": b"From: MAILER-DAEMON@x.example\n\nRecipients, \n"
    + (b"," * 150 + b"@" * 169 + b"\n") * 3000,
    "encoded words": b"Subject: " + b"=?utf-8?q?" * 90_000 + b"\n\nx",
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_input_costs_seconds_at_most(name: str) -> None:
    started = time.perf_counter()
    with suppress(InvalidInput):
        read_report(HOSTILE[name])
    assert time.perf_counter() - started < 10


@st.composite
def mutated_reports(draw: st.DrawFn) -> bytes:
    raw = bytearray(draw(st.sampled_from(sorted(REPORTS.values()))))
    for _ in range(draw(st.integers(1, 6))):
        start = draw(st.integers(0, len(raw)))
        length = draw(st.integers(0, 200))
        kind = draw(st.sampled_from(["cut", "put", "double", "end"]))
        if kind == "cut":
            del raw[start : start + length]
        elif kind == "put":
            raw[start:start] = draw(st.binary(max_size=40))
        elif kind == "double":
            raw[start:start] = raw[start : start + length] * draw(st.integers(1, 20))
        else:
            del raw[start:]
    return bytes(raw)


@settings(max_examples=300, deadline=5000, suppress_health_check=[HealthCheck.too_slow])
@given(mutated_reports())
def test_a_mutated_report_is_read_or_refused(raw: bytes) -> None:
    _read_or_refuse(raw)


@settings(max_examples=200, deadline=5000)
@given(st.binary(max_size=2000))
def test_any_bytes_are_read_or_refused(raw: bytes) -> None:
    _read_or_refuse(b"Content-Type: message/delivery-status\n\nFinal-Recipient: " + raw)
    _read_or_refuse(raw)


def _read_or_refuse(raw: bytes) -> None:
    try:
        reports = read_report(raw)
    except InvalidInput:
        return
    for each in reports:
        assert each.action in ("failed", "delayed", "delivered", "relayed", "expanded")
        assert each.status[0] in "245"
        assert each.status[1] == "."
        assert each.diagnostic.isprintable()
