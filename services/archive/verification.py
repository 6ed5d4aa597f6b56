"""What a file proves by itself: a `history.json` by its hash chain, a final copy by its seal and what it carries.

Integrity decides. Who sealed, when, and whether a given root vouches for it is told beside it, and decides only when
asked. Nothing here raises for a damaged file: that is what one looks for. pyHanko runs its own event loop, so call
`verify_final` in a thread from asynchronous code.
"""

import hashlib
import logging
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path

from asn1crypto import x509
from pyhanko.keys import load_certs_from_pemder
from pyhanko.pdf_utils import generic
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.validation import EmbeddedPdfSignature, validate_pdf_signature
from pyhanko.sign.validation.status import PdfSignatureStatus, SignatureCoverageLevel
from pyhanko_certvalidator import ValidationContext

from services.archive.seal import holder_of, is_test_certificate
from shared.errors import InvalidInput
from shared.history import BrokenChain, VerifiedHistory, verify_chain
from shared.rendering.render import HISTORY_NAME, ORIGINAL_NAME

_MAX_TREE_DEPTH = 32

# A certificate without a trusted root is an ordinary finding here; pyHanko logs it with a traceback and people's names.
for _library in ("pyhanko", "pyhanko_certvalidator"):
    logging.getLogger(_library).setLevel(logging.CRITICAL)


@dataclass
class Findings:
    """In the order in which things were looked at. `ok` is None for what is only told.

    `broken` is the first thing that does not hold, or None: then the file is whole. `trusted` tells whether a given
    root vouches for the seal; a bare history has no seal and is never trusted.
    """

    items: list[tuple[bool | None, str]] = field(default_factory=list)
    trusted: bool = False

    @property
    def broken(self) -> str | None:
        return next((text for ok, text in self.items if ok is False), None)

    def holds(self, text: str) -> None:
        self.items.append((True, text))

    def fails(self, text: str) -> None:
        self.items.append((False, text))

    def tells(self, text: str) -> None:
        self.items.append((None, text))


def load_roots(paths: Iterable[Path]) -> list[x509.Certificate]:
    """Root certificates from PEM (one or many) or DER files. Raises InvalidInput naming the file."""
    roots: list[x509.Certificate] = []
    for path in paths:
        try:
            roots.extend(load_certs_from_pemder([str(path)]))
        except (OSError, ValueError) as error:
            raise InvalidInput(f"{path}: no certificate can be read from it") from error
    return roots


def verify_history(data: bytes) -> Findings:
    """The hash chain of a `history.json`."""
    findings = Findings()
    _check_history(data, findings)
    return findings


def verify_final(pdf: bytes, trust_roots: Sequence[x509.Certificate] = (), *, require_trust: bool = False) -> Findings:
    """The seal of a final copy, and the original and history in it. `require_trust` makes distrust break it."""
    findings = Findings()
    if not pdf.startswith(b"%PDF-"):
        findings.fails("this is no PDF file: it does not begin with %PDF-")
        return findings
    try:
        _check_final(PdfFileReader(BytesIO(pdf)), trust_roots, require_trust, findings)
    except Exception as error:  # a damaged PDF makes a parser fail in any way; each of them is a finding
        findings.fails(f"the PDF is damaged and cannot be read to its end ({type(error).__name__})")
    return findings


def _check_final(
    reader: PdfFileReader, roots: Sequence[x509.Certificate], require_trust: bool, findings: Findings
) -> None:
    seals = reader.embedded_regular_signatures
    if len(seals) != 1:
        findings.fails("the PDF has no seal" if not seals else f"the PDF has {len(seals)} seals, not one")
    else:
        _check_seal(seals[0], roots, require_trust, findings)
    _check_attachments(dict(_attachments(reader)), findings)


def _check_seal(
    seal: EmbeddedPdfSignature, roots: Sequence[x509.Certificate], require_trust: bool, findings: Findings
) -> None:
    # No fetching: what a file proves must not depend on the network, nor tell anyone that it is being looked at.
    context = ValidationContext(trust_roots=list(roots), allow_fetching=False)
    status = validate_pdf_signature(seal, context, context, skip_diff=True)
    _check_integrity(status, findings)
    certificate = status.signing_cert
    findings.tells(f"sealed by {holder_of(certificate)}")
    if is_test_certificate(certificate):
        findings.tells("this is a test seal: its certificate comes from a local test authority")
    _check_time(status, findings)
    _check_trust(status, bool(roots), require_trust, findings)


def _check_integrity(status: PdfSignatureStatus, findings: Findings) -> None:
    if status.coverage == SignatureCoverageLevel.ENTIRE_FILE:
        findings.holds("the seal covers the whole file")
    else:
        findings.fails("the seal does not cover the whole file: something was added after sealing")
    if status.intact and status.valid:
        findings.holds("the sealed bytes are unchanged")
    elif status.intact:
        findings.fails("the seal's signature does not match its certificate")
    else:
        findings.fails("the sealed bytes were changed after sealing")


def _check_time(status: PdfSignatureStatus, findings: Findings) -> None:
    stamp = status.timestamp_validity
    if stamp is None:
        findings.tells("there is no time stamp; the time of sealing is not proven")
    elif stamp.intact and stamp.valid:
        authority = holder_of(stamp.signing_cert)
        findings.holds(f"time-stamped {stamp.timestamp:%Y-%m-%d %H:%M:%S %Z} by {authority}")
    else:
        findings.fails("the time stamp does not match the seal")


def _check_trust(status: PdfSignatureStatus, asked: bool, require_trust: bool, findings: Findings) -> None:
    if status.trusted:
        findings.trusted = True
        findings.tells("a trusted root vouches for the seal's certificate")
        return
    reason = "none of the given roots vouches for it" if asked else "no trusted roots were given"
    text = f"the seal's certificate is not trusted: {reason}"
    if require_trust:
        findings.fails(text)
    else:
        findings.tells(text)


def _check_attachments(attached: dict[str, bytes], findings: Findings) -> None:
    missing = [name for name in (ORIGINAL_NAME, HISTORY_NAME) if name not in attached]
    for name in missing:
        findings.fails(f"{name} is not attached")
    history = _check_history(attached[HISTORY_NAME], findings) if HISTORY_NAME in attached else None
    if history is None or ORIGINAL_NAME not in attached:
        return
    if hashlib.sha256(attached[ORIGINAL_NAME]).hexdigest() == history.document_sha256:
        findings.holds("the attached original is the document that the history speaks of")
    else:
        findings.fails("the attached original is not the document that the history speaks of (SHA-256 differs)")


def _check_history(data: bytes, findings: Findings) -> VerifiedHistory | None:
    try:
        history = verify_chain(data)
    except BrokenChain as broken:
        findings.fails(f"history: {broken.message}")
        return None
    count = len(history.entries)
    findings.holds(f"history: {count} {'entry' if count == 1 else 'entries'}, the chain is whole")
    return history


def _attachments(reader: PdfFileReader) -> Iterator[tuple[str, bytes]]:
    """Names and contents of the embedded files (ISO 32000-1, § 7.11.4)."""
    names = reader.root.get("/Names", {}).get("/EmbeddedFiles")
    if names is None:
        return
    for specification in _leaves(names, _MAX_TREE_DEPTH):
        name = specification["/UF"] if "/UF" in specification else specification["/F"]
        yield str(name), specification["/EF"]["/F"].data


def _leaves(node: generic.DictionaryObject, depth: int) -> Iterator[generic.DictionaryObject]:
    """The values of a name tree, which a hostile file may have made endless."""
    if depth == 0:
        raise ValueError("the tree of names is too deep")
    pairs = node.get("/Names", ())
    yield from (pairs[index] for index in range(1, len(pairs), 2))
    for kid in node.get("/Kids", ()):
        yield from _leaves(kid.get_object(), depth - 1)
