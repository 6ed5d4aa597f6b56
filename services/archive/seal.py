"""The archive's seal: a PAdES signature (ETSI EN 319 142-1) over the whole file, with a look that says whose it is.

With a time-stamp authority it is of level B-T, without one B-B. It certifies: no later change is permitted. pyHanko
writes the PDF; the signature itself is made in `cms.py`. All of it is CPU work: call `seal` in a thread from
asynchronous code.
"""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from functools import cached_property, partial
from io import BytesIO
from pathlib import Path
from typing import Self

from asn1crypto import x509
from cryptography.hazmat.primitives.serialization import Encoding, load_pem_private_key, pkcs12
from pyhanko.keys import load_cert_from_pemder
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.pdf_utils.misc import PdfReadError

from services.archive.cms import CmsSigner
from services.archive.local_authority import TEST_ORGANISATION, ensure_test_authority
from services.archive.seal_field import HEIGHT, WIDTH, Appearance, append_field
from services.archive.seal_value import NoRoom, add_value, sign_written
from services.archive.time_stamps import LocalTimeStamps, RemoteTimeStamps
from shared.errors import InvalidInput, Unavailable
from shared.rendering.typesetting import typeset_appearance
from shared.settings import BadConfiguration, Settings

TEST_WORDS = "Testsigill – inte betrott · Test seal – not trusted"


TimeStamp = Callable[[bytes], bytes]
"""From a SHA-256 to a time-stamp token (RFC 3161) in DER. Raises Unavailable."""


class Sealer:
    """Seals PDFs with one key. `holder` names it for people; `is_test` when its certificate is of a test authority."""

    def __init__(self, signer: CmsSigner, time_stamp: TimeStamp | None = None) -> None:
        self._signer = signer
        self._time_stamp = time_stamp
        self.certificate: x509.Certificate = signer.certificate
        self.holder = holder_of(self.certificate)
        self.is_test = is_test_certificate(self.certificate)

    @classmethod
    def from_settings(cls, settings: Settings) -> Self:
        """From PKCS#12, else from the local test authority. Raises BadConfiguration."""
        time_stamp = RemoteTimeStamps(settings.seal_timestamp_url) if settings.seal_timestamp_url else None
        if settings.seal_pkcs12:
            passphrase = settings.seal_passphrase
            secret = passphrase.get_secret_value().encode() if passphrase else None
            return cls.from_pkcs12(settings.seal_pkcs12, secret, time_stamp)
        if settings.seal_test_authority:
            return cls.from_test_authority(settings.seal_test_authority, time_stamp)
        raise BadConfiguration(
            "JUSTERA_SEAL_PKCS12 is not set",
            hint="name a PKCS#12 file, or a folder in JUSTERA_SEAL_TEST_AUTHORITY to seal without trust",
        )

    @classmethod
    def from_pkcs12(cls, path: Path, passphrase: bytes | None, time_stamp: TimeStamp | None = None) -> Self:
        """A key (RSA or ECDSA) with its certificate and chain. Raises BadConfiguration."""
        try:
            key, own, others = pkcs12.load_key_and_certificates(path.read_bytes(), passphrase)
        except (OSError, ValueError) as error:
            raise BadConfiguration("JUSTERA_SEAL_PKCS12: cannot be read, or its passphrase is another") from error
        if own is None:
            raise BadConfiguration("JUSTERA_SEAL_PKCS12: holds no key with its certificate")
        certificate, *chain = (x509.Certificate.load(one.public_bytes(Encoding.DER)) for one in (own, *others))
        return cls(_signer(key, certificate, chain), time_stamp)

    @classmethod
    def from_pem(
        cls, key: Path, certificate: Path, chain: Sequence[Path] = (), time_stamp: TimeStamp | None = None
    ) -> Self:
        """An unencrypted private key (RSA or ECDSA) and its certificate in PEM. Raises BadConfiguration."""
        return cls(_signer_of_files(key, certificate, chain), time_stamp)

    @classmethod
    def from_test_authority(cls, folder: Path, time_stamp: TimeStamp | None = None) -> Self:
        """The local test authority, made in `folder` when it is not there; it also stamps the time."""
        authority = ensure_test_authority(folder)
        stamping = time_stamp or LocalTimeStamps(
            _signer_of_files(authority.timestamp_key, authority.timestamp_certificate)
        )
        return cls.from_pem(authority.seal_key, authority.seal_certificate, (authority.root,), stamping)

    def seal(self, pdf: bytes) -> bytes:
        """The sealed file; the given bytes are its beginning. A tagged PDF/A-3a + PDF/UA-1 file stays one.

        Raises InvalidInput when `pdf` is no PDF or has a seal, Unavailable when the time-stamp authority is.
        """
        room = self._room  # asks the time-stamp authority the first time
        file = BytesIO(_ending_in_newline(pdf))
        begins = len(file.getbuffer())
        try:
            writer = IncrementalPdfFileWriter(file)
        except (PdfReadError, ValueError) as error:
            raise InvalidInput("what is to be sealed is no readable PDF") from error
        if "/AcroForm" in writer.root:
            raise InvalidInput("the PDF has a form or a seal already; only an unsealed copy is sealed")
        value = add_value(writer, room=room, reason=self._words, name=self.holder, at=datetime.now(UTC))
        append_field(writer, self._words, self._appearance, value)
        writer.write_in_place()
        try:
            sign_written(file, begins, room, partial(self._signer.sign_digest, time_stamp=self._time_stamp))
        except NoRoom as error:
            del self._room  # the next one asks again
            raise Unavailable("the time-stamp authority's answers have become longer", hint="try again") from error
        return file.getvalue()

    @cached_property
    def _room(self) -> int:
        """Bytes that a signature may take: the first one's, and half again for a longer time stamp."""
        return len(self._signer.sign_digest(bytes(32), self._time_stamp)) * 3 // 2

    @property
    def _words(self) -> str:
        return TEST_WORDS if self.is_test else "Elektroniskt sigill · Electronic seal"

    @cached_property
    def _appearance(self) -> Appearance:
        page = typeset_appearance(
            "seal",
            {
                "heading": self._words,
                "holder": self.holder,
                "note": "Sigillet omfattar hela filen · The seal covers the whole file",
                "test": self.is_test,
                "width": WIDTH,
                "height": HEIGHT,
            },
        )
        return Appearance(page)


def _signer_of_files(key: Path, certificate: Path, chain: Sequence[Path] = ()) -> CmsSigner:
    try:
        loaded = load_pem_private_key(key.read_bytes(), password=None)
        own, *others = (load_cert_from_pemder(str(path)) for path in (certificate, *chain))
    except (OSError, ValueError, TypeError) as error:
        raise BadConfiguration("the seal's key or certificate cannot be read") from error
    return _signer(loaded, own, others)


def _signer(key: object, certificate: x509.Certificate, chain: Sequence[x509.Certificate]) -> CmsSigner:
    try:
        return CmsSigner(key, certificate, chain)
    except ValueError as error:
        raise BadConfiguration(f"the seal cannot be used: {error}") from error


def _ending_in_newline(pdf: bytes) -> bytes:
    """The first appended object must begin on its own line (ISO 19005-3, § 6.1.9)."""
    return pdf if pdf.endswith((b"\n", b"\r")) else pdf + b"\n"


def holder_of(certificate: x509.Certificate) -> str:
    """The subject for people: common name and organisation."""
    subject = certificate.subject.native
    names = [subject.get("common_name"), subject.get("organization_name")]
    return ", ".join(name for name in names if isinstance(name, str)) or certificate.subject.human_friendly


def is_test_certificate(certificate: x509.Certificate) -> bool:
    return bool(certificate.issuer.native.get("organization_name") == TEST_ORGANISATION)
