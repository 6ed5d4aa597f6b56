"""Who sealed, and when: what a seal's certificates prove to one who brought a pin, roots and revocation lists along.

`proven` is said only where the EU's validator (DSS, ETSI EN 319 102-1) would say no less: the seal's certificate is
pinned by its fingerprint, or a given root vouches for it, its subject is the expected one, and a revocation list that
was brought along says that it was not revoked. It was valid at the time of sealing, if that is proven, else it is now.
A time stamp has roots of its own: who may say names need not be one who may say times.

Nothing is fetched: what a file proves must not depend on the network, nor tell anyone that it is being looked at.
"""

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Self

from asn1crypto import core, crl, pem, x509
from cryptography import x509 as certificates
from cryptography.x509.oid import NameOID
from pyhanko.keys import load_certs_from_pemder
from pyhanko.sign.ades.report import AdESIndeterminate, AdESSubIndic
from pyhanko.sign.validation import EmbeddedPdfSignature, validate_pdf_signature
from pyhanko.sign.validation.status import PdfSignatureStatus, SignatureStatus
from pyhanko_certvalidator import ValidationContext

from services.archive import asn1_lengths as asn1_lengths  # a mend
from services.archive.findings import Answer, Word
from services.archive.seal import holder_of, is_test_certificate
from shared.errors import InvalidInput
from shared.plain_text import quoted

_EXPIRED_CERTS_ON_CRL = "2.5.29.60"
_FINGERPRINT = re.compile(r"[0-9a-f]{64}")
_ATTRIBUTES = {"organizationIdentifier": NameOID.ORGANIZATION_IDENTIFIER, "serialNumber": NameOID.SERIAL_NUMBER}
_NAMES = frozenset({NameOID.COMMON_NAME, NameOID.ORGANIZATION_NAME, *_ATTRIBUTES.values()})
_PROBLEMS: dict[AdESSubIndic, str] = {
    AdESIndeterminate.NO_CERTIFICATE_CHAIN_FOUND: "no given root vouches for it",
    AdESIndeterminate.OUT_OF_BOUNDS_NO_POE: "it, or one above it, is not valid at that time",
}


@dataclass(frozen=True)
class Pin:
    """Who is expected to have sealed: one certificate, or whoever has this subject under a given root."""

    fingerprint: str | None = None
    subject: certificates.Name | None = None

    @classmethod
    def of(cls, text: str) -> Self:
        """A SHA-256 in hexadecimal (colons allowed), or attributes of a subject as RFC 4514 writes them.

        Raises InvalidInput.
        """
        if _FINGERPRINT.fullmatch(fingerprint := text.replace(":", "").lower()):
            return cls(fingerprint=fingerprint)
        try:
            subject = certificates.Name.from_rfc4514_string(text, _ATTRIBUTES)
        except ValueError as error:
            raise InvalidInput(
                f"{quoted(text)} is neither the SHA-256 of a certificate nor a subject",
                hint="write 64 hexadecimal digits, or O=Name of the organisation,CN=Name of the seal",
            ) from error
        if not any(attribute.oid in _NAMES and attribute.value for attribute in subject):
            raise InvalidInput(f"{quoted(text)} names nobody", hint="it needs at least O, CN or organizationIdentifier")
        return cls(subject=subject)

    def fits(self, certificate: x509.Certificate) -> bool:
        """By subject: each attribute that was given stands in it once, with that value."""
        if self.fingerprint is not None:
            return bool(certificate.sha256.hex() == self.fingerprint)
        try:
            found = certificates.load_der_x509_certificate(certificate.dump()).subject
        except ValueError:
            return False
        return all(
            [one.value for one in found.get_attributes_for_oid(wanted.oid)] == [wanted.value]
            for wanted in self.subject or ()
        )


@dataclass(frozen=True)
class Asked:
    """What the asker brings along. Nothing: then names and times are only claimed."""

    sealed_by: Pin | None = None
    roots: Sequence[x509.Certificate] = ()  # for seals
    time_roots: Sequence[x509.Certificate] = ()  # for time stamps
    crls: Sequence[crl.CertificateList] = ()

    def context(self, roots: Sequence[x509.Certificate], at: datetime, *, unrevoked: bool = True) -> ValidationContext:
        """A revocation list may be of later: what it lists as revoked before `at` was revoked then.

        `unrevoked`: each certificate below a root needs a list that does not name it.
        """
        return ValidationContext(
            trust_roots=list(roots),
            crls=list(self.crls),
            moment=at,
            allow_fetching=False,
            revocation_mode="require" if unrevoked else "soft-fail",
            retroactive_revinfo=True,
        )

    def is_forgotten(self, certificate: x509.Certificate) -> bool:
        """Whether all its lists are of after its end, and none says that it keeps what has ended (X.509, 9.5.2.6)."""
        end = certificate["tbs_certificate"]["validity"]["not_after"].native
        lists = [one for one in self.crls if one.issuer == certificate.issuer]
        return not any(one["tbs_cert_list"]["this_update"].native <= end or _keeps_ended(one, end) for one in lists)


def load_roots(paths: Iterable[Path]) -> list[x509.Certificate]:
    """Certificates from PEM (one or many) or DER files. Raises InvalidInput naming the file."""
    roots: list[x509.Certificate] = []
    for path in paths:
        try:
            found = list(load_certs_from_pemder([str(path)]))
        except (OSError, ValueError) as error:
            raise InvalidInput(f"{path}: no certificate can be read from it") from error
        roots.extend(found)
    return roots


def load_crls(paths: Iterable[Path]) -> list[crl.CertificateList]:
    """Revocation lists from PEM or DER files. Raises InvalidInput naming the file."""
    found: list[crl.CertificateList] = []
    for path in paths:
        try:
            data = path.read_bytes()
            der = pem.unarmor(data)[2] if pem.detect(data) else data
            found.append(crl.CertificateList.load(der, strict=True))
            found[-1]["tbs_cert_list"]["this_update"].native  # noqa: B018  (it parses when it is looked at)
        except (OSError, ValueError, TypeError) as error:
            raise InvalidInput(f"{path}: no revocation list (CRL) can be read from it") from error
    return found


def examine(seal: EmbeddedPdfSignature, asked: Asked, now: datetime) -> tuple[PdfSignatureStatus, Answer]:
    """The seal's status by mathematics alone, whoever holds its certificate, and the answer about its time."""
    nobody = asked.context((), now)
    status = validate_pdf_signature(seal, nobody, asked.context(asked.time_roots, now), skip_diff=True)

    def leniently() -> SignatureStatus | None:
        lists_apart = asked.context(asked.time_roots, now, unrevoked=False)
        return validate_pdf_signature(seal, nobody, lists_apart, skip_diff=True).timestamp_validity

    return status, _time(status, leniently if asked.time_roots else None, now)


def proven_time(status: PdfSignatureStatus, time: Answer) -> datetime | None:
    stamp = status.timestamp_validity
    return stamp.timestamp if stamp is not None and time.word is Word.PROVEN else None


def identity(
    seal: EmbeddedPdfSignature, certificate: x509.Certificate, asked: Asked, proven: datetime | None, now: datetime
) -> Answer:
    """Who sealed. `proven`: when, if that is."""
    word, reason = _identified(seal, certificate, asked, proven, now)
    answer = Answer(word, f"sealed by {quoted(holder_of(certificate))}: {reason}")
    answer.remarks.append(f"the certificate's SHA-256 is {certificate.sha256.hex()}")
    if is_test_certificate(certificate):
        answer.remarks.append("this is a test seal: its certificate says that a local test authority made it")
    return answer


def _identified(
    seal: EmbeddedPdfSignature, certificate: x509.Certificate, asked: Asked, proven: datetime | None, now: datetime
) -> tuple[Word, str]:
    pin, at = asked.sealed_by, proven or now
    if pin is not None and not pin.fits(certificate):
        return Word.REFUTED, "that is not who was expected"
    # Without a proven time, one that is valid no more may have sealed while it was.
    worst = Word.REFUTED if proven else Word.CLAIMED
    when = "when it was sealed" if proven else "now, and when it was sealed is not proven"
    if (outside := _outside(certificate, at)) is not None:
        return worst, f"its certificate {outside} {when}"
    pinned = pin is not None and pin.fingerprint is not None
    if not pinned and not asked.roots:
        return Word.CLAIMED, "its certificate says so itself, and no trusted root was given"
    roots = [certificate] if pinned else asked.roots
    nobody = asked.context((), now)
    status = validate_pdf_signature(seal, asked.context(roots, at), nobody, skip_diff=True)
    if status.revoked:
        return worst, f"its certificate, or one above it, was revoked {when}"
    if not status.trusted:
        lists_apart = asked.context(roots, at, unrevoked=False)
        return Word.CLAIMED, _problem(status, lambda: validate_pdf_signature(seal, lists_apart, nobody, skip_diff=True))
    if any(asked.is_forgotten(one) for one in _below_root(status)):
        return Word.CLAIMED, "the list that was given is of after its certificate's end, when lists may forget one"
    if pin is None:
        return Word.CLAIMED, "a given root vouches for that name; say with --sealed-by whose seal it should be"
    return Word.PROVEN, "it is the certificate that was expected" if pinned else "a given root vouches for it"


_Leniently = Callable[[], SignatureStatus | None]  # validated once more, revocation apart


def _time(status: PdfSignatureStatus, leniently: _Leniently | None, now: datetime) -> Answer:
    stamp = status.timestamp_validity
    if stamp is None:
        reported = status.signer_reported_dt
        if reported is None:
            return Answer(Word.NONE, "there is no time stamp, and the seal says no time")
        return Answer(Word.CLAIMED, f"{_moment(reported)} by the sealer's own clock: there is no time stamp")
    if not (stamp.intact and stamp.valid):
        return Answer(Word.REFUTED, "the time stamp does not match the seal")
    when = f"{_moment(stamp.timestamp)} as {quoted(holder_of(stamp.signing_cert))} says"
    certificate = f"the authority's certificate has the SHA-256 {stamp.signing_cert.sha256.hex()}"
    word, reason = _timed(stamp, stamp.timestamp, leniently, now)
    return Answer(word, f"{when}: {reason}", [certificate])


def _timed(stamp: SignatureStatus, at: datetime, leniently: _Leniently | None, now: datetime) -> tuple[Word, str]:
    if at > now:
        return Word.REFUTED, "that is in the future"
    if (outside := _outside(stamp.signing_cert, at)) is not None:
        return Word.REFUTED, f"its certificate {outside} then"
    if leniently is None:
        return Word.CLAIMED, "no root for time stamps was given (--trust-time)"
    if stamp.revoked:
        return Word.CLAIMED, "its certificate, or one above it, is revoked"
    if (outside := _outside(stamp.signing_cert, now)) is not None:
        return Word.CLAIMED, f"its certificate {outside} now, and no later stamp vouches for it"
    if not stamp.trusted:
        return Word.CLAIMED, _problem(stamp, leniently)
    return Word.PROVEN, "a given root for time stamps vouches for it"


def _below_root(status: SignatureStatus) -> list[x509.Certificate]:
    path = status.validation_path
    return [] if path is None else list(path)[1:]


def _keeps_ended(revoked: crl.CertificateList, end: datetime) -> bool:
    for extension in revoked["tbs_cert_list"]["crl_extensions"]:
        if extension["extn_id"].dotted == _EXPIRED_CERTS_ON_CRL:
            try:
                since: datetime = core.GeneralizedTime.load(extension["extn_value"].contents).native
            except ValueError:
                return False
            return since <= end
    return False


def _problem(status: SignatureStatus, leniently: _Leniently) -> str:
    apart = leniently()
    if apart is not None and apart.trusted:
        return "a given root vouches for it, but no list that was given says whether it was revoked (--crl)"
    found = status.trust_problem_indic
    if found is None:
        return "no given root vouches for it"
    return _PROBLEMS.get(found, f"its certificates do not hold together ({found.standard_name})")


def _outside(certificate: x509.Certificate, at: datetime) -> str | None:
    validity = certificate["tbs_certificate"]["validity"]
    if at < validity["not_before"].native:
        return "was not valid yet"
    return "was valid no more" if at > validity["not_after"].native else None


def _moment(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"
