"""A database that does not let us in: one line says why and what to look at. No password is in it; no bug is ours."""

import datetime
import ipaddress
import ssl
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from sqlalchemy.engine import make_url

from shared.database_refusals import refusal_of
from shared.errors import Unavailable
from tests.unit.cli.conftest import Justera, one_line
from tests.unit.cli.fake_postgres import listening, refusing

MIGRATE = ("migrate", "signing", "--no-topics")
PASSWORD = "mossa-och-ljung"
CERTIFICATE_ASKED = 'no pg_hba.conf entry for host "192.0.2.7", user "justera", database "x", no encryption'


def url_of(port: int, host: str = "127.0.0.1", more: str = "") -> str:
    return f"postgresql+asyncpg://justera:{PASSWORD}@{host}:{port}/justera_{{service}}{more}"


@pytest.mark.parametrize("command", [MIGRATE, ("run", "signing")])
@pytest.mark.parametrize(
    ("state", "words", "told"),
    [
        (
            "28P01",
            "password authentication failed",
            ("does not take the password of justera", "JUSTERA_DATABASE_PASSWORD"),
        ),
        ("28000", 'role "justera" does not exist', ("does not let justera in", 'role "justera" does not exist')),
        ("28000", CERTIFICATE_ASKED, ("does not let justera in", "it asks for TLS", "?ssl=verify-full")),
        (
            "3D000",
            'database "justera_signing" does not exist',
            ("the database of signing (justera_signing at", "is not there"),
        ),
        ("08P01", "unsupported startup parameter: options", ("pooler", "options", "ignore_startup_parameters")),
        ("42501", 'permission denied for database "x"', ("justera lacks a right", "permission denied", "owner")),
    ],
)
def test_what_only_a_person_can_mend_is_told(
    state: str,
    words: str,
    told: tuple[str, ...],
    command: tuple[str, ...],
    justera: Justera,
    complete_settings: None,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("services.embedded.server.bind", lambda host, port: None)
    with refusing(state, words) as port:
        monkeypatch.setenv("JUSTERA_DATABASE_URL", url_of(port))
        line = one_line(justera(*command))
    assert [part for part in (*told, f"127.0.0.1:{port}") if part not in line] == []
    assert PASSWORD not in line


@pytest.mark.parametrize(
    ("state", "told"),
    [
        ("53300", "has no connection to spare"),
        ("57P03", "is starting or stopping"),
        ("08P01", "does not let us in: not now"),
    ],
)
def test_what_may_mend_itself_is_told(state: str, told: str, justera: Justera, monkeypatch: pytest.MonkeyPatch) -> None:
    with refusing(state, "not now") as port:
        monkeypatch.setenv("JUSTERA_DATABASE_URL", url_of(port))
        assert told in one_line(justera(*MIGRATE))


def test_a_password_from_its_own_setting_is_not_shown(justera: Justera, monkeypatch: pytest.MonkeyPatch) -> None:
    with refusing("28P01", "password authentication failed") as port:
        monkeypatch.setenv("JUSTERA_DATABASE_URL", f"postgresql+asyncpg://justera@127.0.0.1:{port}/x")
        monkeypatch.setenv("JUSTERA_DATABASE_PASSWORD", PASSWORD)
        line = one_line(justera(*MIGRATE))
    assert "does not take the password" in line
    assert PASSWORD not in line


def test_a_port_where_nothing_listens(justera: Justera, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JUSTERA_DATABASE_URL", url_of(1))
    assert "nothing listens where the database of signing (justera_signing at 127.0.0.1:1) should be (" in one_line(
        justera(*MIGRATE)
    )


def test_a_host_that_is_not_known(justera: Justera, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JUSTERA_DATABASE_URL", url_of(5432, "database.invalid"))
    assert "at database.invalid:5432) is not known" in one_line(justera(*MIGRATE))


def test_a_socket_that_is_not_there(justera: Justera, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JUSTERA_DATABASE_URL", f"postgresql+asyncpg:///x?host={tmp_path}")
    assert f"nothing listens where the database of signing (x at {tmp_path}) should be (" in one_line(justera(*MIGRATE))


@pytest.mark.parametrize("answer", [b"", b"HTTP/1.1 400 Bad Request\r\n\r\n", b"220 mail.example ESMTP\r\n"])
def test_something_else_listens(answer: bytes, justera: Justera, monkeypatch: pytest.MonkeyPatch) -> None:
    with listening(lambda connection: connection.sendall(answer)) as port:
        monkeypatch.setenv("JUSTERA_DATABASE_URL", url_of(port))
        line = one_line(justera(*MIGRATE))
    assert f"127.0.0.1:{port}" in line


def test_a_server_without_tls(justera: Justera, monkeypatch: pytest.MonkeyPatch) -> None:
    with refusing("28P01", "password authentication failed") as port:
        monkeypatch.setenv("JUSTERA_DATABASE_URL", url_of(port, more="?ssl=require"))
        assert "speaks no TLS, and JUSTERA_DATABASE_URL asks for it" in one_line(justera(*MIGRATE))


def test_a_certificate_that_is_not_trusted(justera: Justera, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    served = _certificate(tmp_path / "served.pem")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(served)
    monkeypatch.setenv("PGSSLROOTCERT", str(_certificate(tmp_path / "other.pem")))
    with refusing("28P01", "password authentication failed", tls=context) as port:
        monkeypatch.setenv("JUSTERA_DATABASE_URL", url_of(port, more="?ssl=verify-full"))
        assert "the certificate of the database of signing" in one_line(justera(*MIGRATE))
        monkeypatch.setenv("PGSSLROOTCERT", str(served))
        assert "does not take the password" in one_line(justera(*MIGRATE))
        monkeypatch.setenv("PGSSLROOTCERT", str(tmp_path / "none.pem"))
        assert "a file that JUSTERA_DATABASE_URL or PGSSLROOTCERT names cannot be read" in one_line(justera(*MIGRATE))


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("foo", "is no URL like postgresql+asyncpg://"),
        (f"postgresql+asyncpg://justera:{PASSWORD}@db.example:port/x", "is no URL like"),
        (f"mysql://justera:{PASSWORD}@db.example/x", "begins with mysql:"),
        (f"postgresql://justera:{PASSWORD}@db.example/x?sslmode=require", "called ssl here"),
        (f"postgresql://justera:{PASSWORD}@db.example/x?colour=red", "'colour'"),
        (f"postgresql://justera:{PASSWORD}@db.example:99999/x", "names port 99999"),
    ],
)
@pytest.mark.parametrize("command", [MIGRATE, ("run", "signing")])
def test_a_url_that_is_none(
    url: str, told: str, command: tuple[str, ...], justera: Justera, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("JUSTERA_DATABASE_URL", url)
    line = one_line(justera(*command))
    assert line.startswith("error: JUSTERA_DATABASE_URL: ")
    assert told in line
    assert PASSWORD not in line


def test_a_url_without_the_drivers_name_gets_it(justera: Justera, monkeypatch: pytest.MonkeyPatch) -> None:
    with refusing("28P01", "password authentication failed") as port:
        monkeypatch.setenv("JUSTERA_DATABASE_URL", url_of(port).replace("+asyncpg", ""))
        assert "justera_signing" in one_line(justera(*MIGRATE))


def test_a_host_that_is_silent() -> None:
    url = make_url("postgresql+asyncpg://justera@[2001:db8::7]/x")
    refusal = refusal_of(TimeoutError(), "signing", url)
    assert isinstance(refusal, Unavailable)
    assert "the database of signing (x at [2001:db8::7]:5432) does not answer" in refusal.message


def test_a_bug_is_no_refusal() -> None:
    assert refusal_of(KeyError("x"), "signing", make_url("postgresql+asyncpg:///x")) is None


def test_topics_need_no_database(justera: Justera, monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[str] = []

    async def ensure(settings: object) -> None:
        made.append("topics")

    monkeypatch.setattr("shared.messaging.broker.ensure_topics", ensure)
    monkeypatch.setenv("JUSTERA_DATABASE_URL", url_of(1))
    outcome = justera("migrate", "--topics")
    assert (outcome.status, outcome.out, made) == (0, "topics are there\n", ["topics"])


def test_topics_belong_to_no_service_alone(justera: Justera) -> None:
    outcome = justera("migrate", "signing", "--topics")
    assert outcome.status == 2
    assert "topics belong to all services" in outcome.err


def _certificate(path: Path) -> Path:
    """Of 127.0.0.1, signed by itself; key and certificate in one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.datetime.now(datetime.UTC)
    address = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(address, critical=False)
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    private = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    path.write_bytes(private + certificate.public_bytes(pem))
    return path
