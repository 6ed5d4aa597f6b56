"""Certificate authorities, honest and not: roots, seals, time stamps of any moment, and lists of what was revoked."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from asn1crypto import core, keys
from asn1crypto import x509 as asn1
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from pyhanko.sign.signers import SimpleSigner
from pyhanko_certvalidator.registry import SimpleCertificateStore

from services.archive.seal import Sealer
from services.archive.seal_keys import LocalTimeStamper

ORGANISATION = "Norrdalens kommunalförbund"
NOW = datetime.now(UTC).replace(microsecond=0)
YEAR = timedelta(days=365)


def _name(common: str, organisation: str) -> x509.Name:
    return x509.Name(
        [x509.NameAttribute(NameOID.ORGANIZATION_NAME, organisation), x509.NameAttribute(NameOID.COMMON_NAME, common)]
    )


@dataclass
class Issued:
    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey
    above: "Authority"

    @property
    def fingerprint(self) -> str:
        return self.certificate.fingerprint(hashes.SHA256()).hex()

    @property
    def signer(self) -> SimpleSigner:
        registry = SimpleCertificateStore()
        registry.register(asn1.Certificate.load(self.above.certificate.public_bytes(Encoding.DER)))
        secret = self.key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
        return SimpleSigner(
            signing_cert=asn1.Certificate.load(self.certificate.public_bytes(Encoding.DER)),
            signing_key=keys.PrivateKeyInfo.load(secret),
            cert_registry=registry,
        )

    def stamper(self, at: datetime = NOW) -> LocalTimeStamper:
        return LocalTimeStamper(self.signer, lambda: at)

    def sealer(self, stamped_by: "Issued | None" = None, at: datetime = NOW) -> Sealer:
        return Sealer(self.signer, None if stamped_by is None else stamped_by.stamper(at))

    def write(self, path: Path) -> Path:
        path.write_bytes(self.certificate.public_bytes(Encoding.PEM))
        return path


@dataclass
class Authority:
    name: str = "Norrdalens rot"
    organisation: str = "Betrodd AB"
    since: datetime = NOW - 20 * YEAR
    until: datetime = NOW + 20 * YEAR
    key: ec.EllipticCurvePrivateKey = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))

    def __post_init__(self) -> None:
        subject = _name(self.name, self.organisation)
        self.certificate = self._certificate(subject, self.key, self.since, self.until, root=True)

    def issue(
        self,
        common: str = "Protokoll",
        organisation: str = ORGANISATION,
        *,
        since: datetime = NOW - YEAR,
        until: datetime = NOW + YEAR,
        stamps_time: bool = False,
    ) -> Issued:
        key = ec.generate_private_key(ec.SECP256R1())
        subject = _name(common, organisation)
        return Issued(self._certificate(subject, key, since, until, stamps_time=stamps_time), key, self)

    def stamps(self, **said: Any) -> Issued:
        return self.issue("Tidsstämplar", self.organisation, stamps_time=True, **said)

    def crl(
        self,
        revoked: Mapping[int, datetime] | None = None,
        *,
        this: datetime = NOW - timedelta(hours=1),
        keeps_since: datetime | None = None,
    ) -> x509.CertificateRevocationList:
        """`keeps_since`: it says that it keeps those that have expired since then."""
        builder = x509.CertificateRevocationListBuilder().issuer_name(self.certificate.subject)
        builder = builder.last_update(this).next_update(this + timedelta(days=30))
        for serial, at in (revoked or {}).items():
            one = x509.RevokedCertificateBuilder().serial_number(serial).revocation_date(at).build()
            builder = builder.add_revoked_certificate(one)
        builder = builder.add_extension(x509.CRLNumber(1), critical=False)
        public = self.key.public_key()
        builder = builder.add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(public), critical=False)
        if keeps_since is not None:
            kept = core.GeneralizedTime(keeps_since).dump()
            expired = x509.UnrecognizedExtension(x509.ObjectIdentifier("2.5.29.60"), kept)
            builder = builder.add_extension(expired, critical=False)
        return builder.sign(self.key, hashes.SHA256())

    def write(self, path: Path) -> Path:
        path.write_bytes(self.certificate.public_bytes(Encoding.PEM))
        return path

    def _certificate(
        self,
        subject: x509.Name,
        key: ec.EllipticCurvePrivateKey,
        since: datetime,
        until: datetime,
        *,
        root: bool = False,
        stamps_time: bool = False,
    ) -> x509.Certificate:
        builder = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(_name(self.name, self.organisation))
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(since)
            .not_valid_after(until)
            .add_extension(x509.BasicConstraints(ca=root, path_length=None), critical=True)
            .add_extension(_usage(root, stamps_time), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(self.key.public_key()), critical=False)
        )
        if stamps_time:
            builder = builder.add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.TIME_STAMPING]), critical=True)
        return builder.sign(self.key, hashes.SHA256())


def _usage(root: bool, stamps_time: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not root,
        content_commitment=not root and not stamps_time,
        key_cert_sign=root,
        crl_sign=root,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )
