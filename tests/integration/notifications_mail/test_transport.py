"""SmtpTransport against a real SMTP server that behaves and misbehaves."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from services.notifications.delivery.transport import Accepted, Deferred, Outcome, Rejected, SmtpSettings, SmtpTransport
from services.notifications.letter.letter import Letter, Person, Purpose, compose
from tests.support.smtp_server import Delay, Drop, RecordingSmtpServer, Reply, Stage

RECIPIENT = "olof.berg@bjorka.example"


def a_mail() -> EmailMessage:
    letter = Letter(
        purpose=Purpose.SIGNATURE_REQUEST,
        language="sv",
        document="Protokoll styrelsen Norrdalen",
        sender=Person("karin.ek@norrdalen.example", "Karin Ek"),
        recipient=Person(RECIPIENT, "Olof Berg"),
        link="https://justera.norrdalen.example/s/x",
    )
    return compose(
        letter,
        mail_from=Person("signering@norrdalen.example", "Kommunförbundet Norrdalen"),
        date=datetime(2026, 3, 12, tzinfo=UTC),
        message_id="<one@norrdalen.example>",
    )


async def send(transport: SmtpTransport, recipient: str = RECIPIENT) -> Outcome:
    return await transport.send(
        a_mail(), return_path="bounces+k1-abc@norrdalen.example", recipient=recipient, envelope_id="k1-abc"
    )


def settings(port: int, **changes: object) -> SmtpSettings:
    values: dict[str, object] = {
        "host": "127.0.0.1",
        "port": port,
        "security": "none",
        "timeout": 15,
        "final_timeout": 15,
        "local_hostname": "justera.example",
    }
    return SmtpSettings(**{**values, **changes})  # type: ignore[arg-type]


@pytest.fixture
async def server() -> AsyncIterator[RecordingSmtpServer]:
    async with RecordingSmtpServer() as running:
        yield running


@pytest.fixture
async def transport(server: RecordingSmtpServer) -> AsyncIterator[SmtpTransport]:
    running = SmtpTransport(settings(server.port))
    yield running
    await running.aclose()


async def test_an_accepted_mail_arrives_with_its_envelope(
    server: RecordingSmtpServer, transport: SmtpTransport
) -> None:
    assert await send(transport) == Accepted("250 2.0.0 queued")

    [mail] = server.mails
    assert mail.mail_from == "bounces+k1-abc@norrdalen.example"
    assert mail.recipient == RECIPIENT
    assert mail.message["Message-ID"] == "<one@norrdalen.example>"
    assert {"RET=HDRS", "ENVID=k1-abc"} <= set(mail.mail_options)
    assert mail.recipient_options == ["NOTIFY=FAILURE,DELAY"]


async def test_a_server_without_dsn_is_not_asked_for_it() -> None:
    async with RecordingSmtpServer(dsn=False) as server:
        transport = SmtpTransport(settings(server.port))
        assert isinstance(await send(transport), Accepted)
        await transport.aclose()
        assert not any("=" in each and not each.startswith("SIZE") for each in server.mails[0].mail_options)
        assert server.mails[0].recipient_options == []


async def test_one_connection_serves_several_mails(server: RecordingSmtpServer, transport: SmtpTransport) -> None:
    for _ in range(3):
        assert isinstance(await send(transport), Accepted)
    assert (server.connections, len(server.mails)) == (1, 3)


async def test_the_number_of_connections_is_bounded(server: RecordingSmtpServer) -> None:
    transport = SmtpTransport(settings(server.port, connections=2))
    server.at("reply", *[Delay(0.05)] * 8)
    outcomes = await asyncio.gather(*(send(transport) for _ in range(8)))
    assert all(isinstance(each, Accepted) for each in outcomes)
    assert (server.connections, len(server.mails)) == (2, 8)
    await transport.aclose()


@pytest.mark.parametrize(
    ("stage", "reply", "expected"),
    [
        ("rcpt", "550 5.1.1 no such user", Rejected("5.1.1", "550 5.1.1 no such user")),
        ("rcpt", "550 no such user", Rejected("5.0.0", "550 no such user")),
        ("rcpt", "550 4.1.1 contradicts itself", Rejected("5.0.0", "550 4.1.1 contradicts itself")),
        ("rcpt", "450 4.2.1 greylisted", Deferred("4.2.1", "450 4.2.1 greylisted")),
        ("rcpt", "452 try later", Deferred("4.0.0", "452 try later")),
        ("rcpt", "530 5.7.0 log in first", Deferred("5.7.0", "530 5.7.0 log in first")),
        ("mail", "553 5.7.1 sender not allowed", Deferred("5.7.1", "553 5.7.1 sender not allowed")),
        ("mail", "451 4.3.0 later", Deferred("4.3.0", "451 4.3.0 later")),
        ("data", "554 5.5.1 no valid recipients", Rejected("5.5.1", "554 5.5.1 no valid recipients")),
        ("reply", "554 5.7.1 looks like spam", Rejected("5.7.1", "554 5.7.1 looks like spam")),
        ("reply", "452 4.3.1 disk full", Deferred("4.3.1", "452 4.3.1 disk full")),
        (
            "connect",
            "554 5.7.1 who are you",
            Deferred("5.7.1", "554 5.7.1 who are you", unreachable=True),
        ),
        ("connect", "421 4.3.2 closing", Deferred("4.3.2", "421 4.3.2 closing", unreachable=True)),
    ],
)
async def test_a_refusal_is_told_apart_by_stage_and_code(
    server: RecordingSmtpServer, transport: SmtpTransport, stage: Stage, reply: str, expected: Outcome
) -> None:
    server.at(stage, Reply(reply))
    assert await send(transport) == expected
    assert server.mails == []
    assert isinstance(await send(transport), Accepted), "the next mail goes its way"


async def test_a_connection_is_used_on_after_a_refused_recipient(
    server: RecordingSmtpServer, transport: SmtpTransport
) -> None:
    server.refuse("gone@norrdalen.example", "550 5.1.1 unknown")
    assert isinstance(await send(transport, "gone@norrdalen.example"), Rejected)
    assert isinstance(await send(transport), Accepted)
    assert server.connections == 1


@pytest.mark.parametrize("stage", ["connect", "mail", "rcpt", "data"])
async def test_a_lost_connection_defers(server: RecordingSmtpServer, transport: SmtpTransport, stage: Stage) -> None:
    server.at(stage, Drop())
    outcome = await send(transport)
    assert isinstance(outcome, Deferred)
    assert outcome.status.startswith("4.4.")
    assert server.mails == []
    assert isinstance(await send(transport), Accepted)


async def test_accepted_but_the_reply_lost_is_deferred_and_not_sent_again_by_itself(
    server: RecordingSmtpServer, transport: SmtpTransport
) -> None:
    assert isinstance(await send(transport), Accepted)
    server.at("reply", Drop())
    assert isinstance(await send(transport), Deferred)
    assert len(server.mails) == 2, "the transport must not try again once the mail may have been taken"

    assert isinstance(await send(transport), Accepted)
    assert {mail.message["Message-ID"] for mail in server.mails} == {"<one@norrdalen.example>"}


@pytest.mark.parametrize("stage", ["mail", "rcpt"])
@pytest.mark.parametrize("behaviour", [Drop(), Reply("421 4.4.2 idle too long")])
async def test_a_kept_connection_that_is_dead_is_replaced_at_once(
    server: RecordingSmtpServer, transport: SmtpTransport, stage: Stage, behaviour: Drop | Reply
) -> None:
    assert isinstance(await send(transport), Accepted)
    server.at(stage, behaviour)
    assert isinstance(await send(transport), Accepted)
    assert (server.connections, len(server.mails)) == (2, 2)


async def test_a_fresh_connection_that_fails_is_not_tried_without_end(
    server: RecordingSmtpServer, transport: SmtpTransport
) -> None:
    assert isinstance(await send(transport), Accepted)
    server.at("mail", Drop(), Drop(), Drop())
    assert isinstance(await send(transport), Deferred)
    assert server.connections == 2


async def test_connections_closed_while_idle_cost_nothing(
    server: RecordingSmtpServer, transport: SmtpTransport
) -> None:
    assert isinstance(await send(transport), Accepted)
    server.drop_connections()
    await asyncio.sleep(0.05)
    assert isinstance(await send(transport), Accepted)


@pytest.mark.parametrize("stage", ["connect", "mail", "rcpt", "data", "reply"])
async def test_a_slow_server_defers_after_the_timeout(server: RecordingSmtpServer, stage: Stage) -> None:
    transport = SmtpTransport(settings(server.port, timeout=0.2, final_timeout=0.2))
    server.at(stage, Delay(5))
    outcome = await asyncio.wait_for(send(transport), 4)
    assert isinstance(outcome, Deferred)
    await transport.aclose()


async def test_no_server_at_all_defers() -> None:
    async with RecordingSmtpServer() as server:
        port = server.port
    outcome = await send(SmtpTransport(settings(port)))
    assert isinstance(outcome, Deferred)
    assert outcome.status == "4.4.1"


async def test_starttls_is_demanded_when_configured(server: RecordingSmtpServer) -> None:
    outcome = await send(SmtpTransport(settings(server.port, security="starttls")))
    assert isinstance(outcome, Deferred)
    assert server.mails == []


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A self-signed certificate for localhost, with its key, in one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    path = tmp_path_factory.mktemp("tls") / "localhost.pem"
    path.write_bytes(
        key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()) + made.public_bytes(Encoding.PEM)
    )
    return path


@pytest.fixture
def server_tls(certificate: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    return context


@pytest.mark.parametrize("security", ["starttls", "tls"])
async def test_a_mail_goes_encrypted_after_a_login(
    certificate: Path, server_tls: ssl.SSLContext, security: str
) -> None:
    async with RecordingSmtpServer(
        tls=server_tls, implicit_tls=security == "tls", login=("justera", "hemligt")
    ) as server:
        encrypted = settings(
            server.port,
            host="localhost",
            security=security,
            tls_context=ssl.create_default_context(cafile=certificate),
            username="justera",
            password="hemligt",
        )
        transport = SmtpTransport(encrypted)
        assert isinstance(await send(transport), Accepted)
        await transport.aclose()

        wrong = SmtpTransport(replace(encrypted, password="fel"))
        outcome = await send(wrong)
        assert isinstance(outcome, Deferred), "a login of ours that fails is no bounce of theirs"
        assert outcome.status == "5.7.8"
        assert "hemligt" not in repr(encrypted)


@pytest.mark.parametrize("security", ["starttls", "tls"])
async def test_a_certificate_that_is_not_trusted_defers(server_tls: ssl.SSLContext, security: str) -> None:
    async with RecordingSmtpServer(tls=server_tls, implicit_tls=security == "tls") as server:
        outcome = await send(SmtpTransport(settings(server.port, host="localhost", security=security)))
        assert isinstance(outcome, Deferred)
        assert server.mails == []


async def test_an_international_domain_travels_in_ascii(server: RecordingSmtpServer, transport: SmtpTransport) -> None:
    assert isinstance(await send(transport, "olof@björkå.example"), Accepted)
    assert server.mails[0].recipient == "olof@xn--bjrk-toa3h.example"


async def test_an_address_that_no_server_takes_is_rejected_without_asking(
    server: RecordingSmtpServer, transport: SmtpTransport
) -> None:
    assert await send(transport, "åke@norrdalen.example") == Rejected(
        "5.6.7", "the address has letters outside a-z before the @, which mail servers do not take"
    )
    assert isinstance(await send(transport, "a@b.example>\r\nRCPT TO:<c@d.example"), Rejected)
    assert server.connections == 0


async def test_closing_leaves_no_connection_open(server: RecordingSmtpServer, transport: SmtpTransport) -> None:
    await send(transport)
    await transport.aclose()
    async with asyncio.timeout(10):
        while server.open_connections:  # noqa: ASYNC110  (the server sees the end a moment later)
            await asyncio.sleep(0.01)
