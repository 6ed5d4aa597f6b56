"""A certificate authority for trying things out, made on the spot.

Every subject says "Justera test", readers do not trust it, and its seals say so. The authority's own key is thrown away
once it has issued the two certificates: nothing can be issued in its name later.
"""

import os
import shutil
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

TEST_ORGANISATION = "Justera test"

_VALIDITY = timedelta(days=3650)
_CLOCK_SKEW = timedelta(days=1)
_FILES = ("authority.pem", "seal.pem", "seal.key", "timestamp.pem", "timestamp.key")


class TestAuthority:
    """The paths of its files, all PEM; the keys are readable by their owner only."""

    __test__ = False  # not a test case, whatever its name says to pytest

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.root = folder / "authority.pem"
        self.seal_certificate = folder / "seal.pem"
        self.seal_key = folder / "seal.key"
        self.timestamp_certificate = folder / "timestamp.pem"
        self.timestamp_key = folder / "timestamp.key"


def ensure_test_authority(folder: Path) -> TestAuthority:
    """The authority in `folder`, made when it is not there.

    Safe when two processes start at once: each makes a complete one aside, the first to move it into place wins and the
    other takes that one. Raises FileExistsError when `folder` holds something else.
    """
    if not (folder / _FILES[0]).exists():
        _make_aside(folder)
    missing = [name for name in _FILES if not (folder / name).is_file()]
    if missing:
        raise FileExistsError(f"{folder} exists, but is no test authority: {missing[0]} is missing")
    return TestAuthority(folder)


def _make_aside(folder: Path) -> None:
    folder.parent.mkdir(parents=True, exist_ok=True)
    aside = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
    try:
        _issue(aside)
        aside.rename(folder)  # fails when another process has put its own there: that one is as good
    except OSError:
        if not folder.exists():
            raise
    finally:
        shutil.rmtree(aside, ignore_errors=True)


def _issue(folder: Path) -> None:
    authority_key = _new_key()
    authority = _certificate("Justera test authority", authority_key, issuer=None)
    _write(folder / "authority.pem", _pem(authority))
    for stem, name, purpose in (
        ("seal", "Justera test seal", None),
        ("timestamp", "Justera test time stamps", ExtendedKeyUsageOID.TIME_STAMPING),
    ):
        key = _new_key()
        certificate = _certificate(name, key, issuer=(authority, authority_key), purpose=purpose)
        _write(folder / f"{stem}.pem", _pem(certificate))
        _write(folder / f"{stem}.key", _private_pem(key))


def _new_key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def _certificate(
    name: str,
    key: rsa.RSAPrivateKey,
    *,
    issuer: tuple[x509.Certificate, rsa.RSAPrivateKey] | None,
    purpose: x509.ObjectIdentifier | None = None,
) -> x509.Certificate:
    """A root when `issuer` is None, else an end entity; `purpose` is its only, critical, extended key usage."""
    subject = _subject(name)
    issuing_key = issuer[1] if issuer else key
    now = datetime.now(UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer[0].subject if issuer else subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _CLOCK_SKEW)
        .not_valid_after(now + _VALIDITY)
        .add_extension(
            x509.BasicConstraints(ca=issuer is None, path_length=0 if issuer is None else None), critical=True
        )
        .add_extension(_usage(is_root=issuer is None, stamps_time=purpose is not None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(issuing_key.public_key()), critical=False)
    )
    if purpose is not None:
        builder = builder.add_extension(x509.ExtendedKeyUsage([purpose]), critical=True)
    return builder.sign(issuing_key, hashes.SHA256())


def _subject(name: str) -> x509.Name:
    return x509.Name(
        [
            x509.NameAttribute(NameOID.COUNTRY_NAME, "SE"),
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, TEST_ORGANISATION),
            x509.NameAttribute(NameOID.COMMON_NAME, name),
        ]
    )


def _usage(*, is_root: bool, stamps_time: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not is_root,
        content_commitment=not is_root and not stamps_time,
        key_cert_sign=is_root,
        crl_sign=is_root,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)


def _private_pem(key: rsa.RSAPrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def _write(path: Path, content: bytes) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
