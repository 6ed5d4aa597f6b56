"""The archive's seal: a PAdES signature (ETSI EN 319 142-1) over the whole file, with a look that says whose it is.

With a time-stamp authority it is of level B-T, without one B-B. It certifies: no later change is permitted.
pyHanko runs its own event loop, so call `seal` in a thread from asynchronous code.
"""

from datetime import datetime
from functools import cached_property
from io import BytesIO
from pathlib import Path
from typing import Self

from asn1crypto import x509
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.pdf_utils.layout import AxisAlignment, Margins, SimpleBoxLayoutRule
from pyhanko.pdf_utils.misc import PdfReadError
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.fields import MDPPerm, SigSeedSubFilter
from pyhanko.sign.general import SigningError
from pyhanko.sign.signers import PdfSignatureMetadata, PdfSigner, SimpleSigner
from pyhanko.sign.timestamps import HTTPTimeStamper, TimeStamper
from pyhanko.sign.timestamps.common_utils import TimestampRequestError
from pyhanko.stamp import StaticStampStyle

from services.archive.local_authority import TEST_ORGANISATION, ensure_test_authority
from services.archive.seal_field import FIELD_NAME, HEIGHT, WIDTH, PageAsAppearance, append_field, parsed_page
from services.archive.seal_keys import LoadedKeySigner, LocalTimeStamper
from shared.errors import InvalidInput, Unavailable
from shared.rendering.typesetting import typeset_appearance
from shared.settings import BadConfiguration, Settings

TEST_WORDS = "Testsigill – inte betrott · Test seal – not trusted"


class Sealer:
    """Seals PDFs with one key. `holder` names it for people; `is_test` when its certificate is of a test authority."""

    def __init__(self, signer: SimpleSigner, time_stamper: TimeStamper | None = None) -> None:
        self._signer = LoadedKeySigner.of(signer)
        self._time_stamper = time_stamper
        self._room: int | None = None
        self.certificate: x509.Certificate = signer.signing_cert
        self.holder = holder_of(self.certificate)
        self.is_test = is_test_certificate(self.certificate)
        self.ends = end_of(self.certificate)

    @classmethod
    def from_settings(cls, settings: Settings) -> Self:
        """From PKCS#12, else from the local test authority. Raises BadConfiguration."""
        stamper = HTTPTimeStamper(settings.seal_timestamp_url) if settings.seal_timestamp_url else None
        if settings.seal_pkcs12:
            passphrase = settings.seal_passphrase
            secret = passphrase.get_secret_value().encode() if passphrase else None
            return cls.from_pkcs12(settings.seal_pkcs12, secret, stamper)
        if settings.seal_test_authority:
            return cls.from_test_authority(settings.seal_test_authority, stamper)
        raise BadConfiguration(
            "JUSTERA_SEAL_PKCS12 is not set",
            hint="name a PKCS#12 file, or a folder in JUSTERA_SEAL_TEST_AUTHORITY to seal without trust",
        )

    @classmethod
    def from_pkcs12(cls, path: Path, passphrase: bytes | None, time_stamper: TimeStamper | None = None) -> Self:
        """A key with its certificate and chain. Raises BadConfiguration."""
        try:
            signer = SimpleSigner.load_pkcs12_data(path.read_bytes(), other_certs=(), passphrase=passphrase)
        except (OSError, ValueError) as error:
            raise BadConfiguration("JUSTERA_SEAL_PKCS12: cannot be read, or its passphrase is another") from error
        return cls(signer, time_stamper)

    @classmethod
    def from_pem(
        cls, key: Path, certificate: Path, chain: tuple[Path, ...] = (), time_stamper: TimeStamper | None = None
    ) -> Self:
        """An unencrypted private key and its certificate in PEM or DER. Raises BadConfiguration."""
        return cls(_signer(key, certificate, chain), time_stamper)

    @classmethod
    def from_test_authority(cls, folder: Path, time_stamper: TimeStamper | None = None) -> Self:
        """The local test authority, made in `folder` when it is not there; it also stamps the time."""
        authority = ensure_test_authority(folder)
        stamper = time_stamper or LocalTimeStamper(_signer(authority.timestamp_key, authority.timestamp_certificate))
        return cls.from_pem(authority.seal_key, authority.seal_certificate, (authority.root,), stamper)

    def seal(self, pdf: bytes) -> bytes:
        """The sealed file; the given bytes are its beginning. A tagged PDF/A-3a + PDF/UA-1 file stays one.

        Raises InvalidInput when `pdf` is no PDF or has a seal, Unavailable when the time-stamp authority is.
        """
        try:
            return self._sealed(pdf)
        except SigningError:
            if self._room is None:
                raise
        self._room = None  # the time-stamp authority says more than it did
        return self._sealed(pdf)

    def _sealed(self, pdf: bytes) -> bytes:
        """The room for a signature is what the first one was given: pyHanko finds it out by signing once on trial,
        which takes a third of a seal."""
        writer = _writer_for(pdf)
        append_field(writer, self._words)
        try:
            sealed: BytesIO = self._pdf_signer().sign_pdf(writer, existing_fields_only=True, bytes_reserved=self._room)
        except TimestampRequestError as error:
            raise Unavailable("the time-stamp authority does not answer", hint="try again later") from error
        if self._room is None:
            self._room = _room_of(sealed)
        return sealed.getvalue()

    @property
    def _words(self) -> str:
        return TEST_WORDS if self.is_test else "Elektroniskt sigill · Electronic seal"

    def _pdf_signer(self) -> PdfSigner:
        metadata = PdfSignatureMetadata(
            field_name=FIELD_NAME,
            md_algorithm="sha256",
            subfilter=SigSeedSubFilter.PADES,
            certify=True,
            docmdp_permissions=MDPPerm.NO_CHANGES,
            reason=self._words,
            name=self.holder,
        )
        return PdfSigner(metadata, self._signer, timestamper=self._time_stamper, stamp_style=self._appearance())

    @cached_property
    def _page(self) -> PdfFileReader:
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
        return parsed_page(page)

    def _appearance(self) -> StaticStampStyle:
        return StaticStampStyle(
            background=PageAsAppearance(self._page),
            background_layout=SimpleBoxLayoutRule(
                x_align=AxisAlignment.ALIGN_MIN, y_align=AxisAlignment.ALIGN_MIN, margins=Margins.uniform(0)
            ),
            border_width=0,
        )


def _writer_for(pdf: bytes) -> IncrementalPdfFileWriter:
    try:
        writer = IncrementalPdfFileWriter(BytesIO(_ending_in_newline(pdf)))
    except (PdfReadError, ValueError) as error:
        raise InvalidInput("what is to be sealed is no readable PDF") from error
    if "/AcroForm" in writer.root:
        raise InvalidInput("the PDF has a form or a seal already; only an unsealed copy is sealed")
    return writer


def _room_of(sealed: BytesIO) -> int:
    """In hexadecimal digits: what the signature does not cover, without its two brackets (ISO 32000-2, § 12.8.1)."""
    _, before, after, _ = PdfFileReader(sealed).embedded_signatures[-1].byte_range
    return int(after - before - 2)


def _signer(key: Path, certificate: Path, chain: tuple[Path, ...] = ()) -> SimpleSigner:
    signer: SimpleSigner | None = SimpleSigner.load(
        str(key), str(certificate), ca_chain_files=[str(path) for path in chain]
    )
    if signer is None:
        raise BadConfiguration("the seal's key or certificate cannot be read")
    return signer


def _ending_in_newline(pdf: bytes) -> bytes:
    """The first appended object must begin on its own line (ISO 19005-3, § 6.1.9)."""
    return pdf if pdf.endswith((b"\n", b"\r")) else pdf + b"\n"


def holder_of(certificate: x509.Certificate) -> str:
    """The subject for people: common name and organisation."""
    subject = certificate.subject.native
    names = [subject.get("common_name"), subject.get("organization_name")]
    return ", ".join(name for name in names if isinstance(name, str)) or certificate.subject.human_friendly


def end_of(certificate: x509.Certificate) -> datetime:
    """The last moment at which it is valid."""
    end: datetime = certificate.not_valid_after
    return end


def is_test_certificate(certificate: x509.Certificate) -> bool:
    return bool(certificate.issuer.native.get("organization_name") == TEST_ORGANISATION)
