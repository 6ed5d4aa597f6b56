"""What a file proves: a `history.json` by its hash chain, a final copy by its seal and what it carries.

Nothing here raises for a damaged file: that is what one looks for. Foreign text is quoted and escaped (`findings.py`).
pyHanko runs its own event loop, so call `verify_final` in a thread from asynchronous code.
"""

import hashlib
import json
import logging
import re
from codecs import BOM_UTF8
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from io import BytesIO

from pyhanko.pdf_utils import generic
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.validation import EmbeddedPdfSignature
from pyhanko.sign.validation.status import PdfSignatureStatus, SignatureCoverageLevel

from services.archive import trust
from services.archive.findings import Answer, Findings, Word
from services.archive.trust import Asked
from shared.history import BrokenChain, VerifiedHistory, verify_chain
from shared.rendering.extract import EXTRACT_FORMAT, EXTRACT_NAME
from shared.rendering.render import HISTORY_NAME, ORIGINAL_NAME

_MAX_TREE_DEPTH = 32

# A certificate without a trusted root is an ordinary finding here; pyHanko logs it with a traceback and people's names.
for _library in ("pyhanko", "pyhanko_certvalidator"):
    logging.getLogger(_library).setLevel(logging.CRITICAL)


@dataclass
class _Seen:
    """What holds and what fails, in the order in which it was looked at."""

    holds: list[str] = field(default_factory=list)
    fails: list[str] = field(default_factory=list)


def verify_history(data: bytes) -> Findings:
    """The hash chain of a `history.json`. It shows that the file agrees with itself; anybody can make another one.

    A byte-order mark, which editors and shells put before it, is none of the history (RFC 8259, section 8.1).
    """
    seen = _Seen()
    _check_history(data.removeprefix(BOM_UTF8), seen)
    return Findings(
        _integrity(seen, "the chain agrees with itself; nothing outside vouches for it"),
        Answer(Word.NONE, "a history by itself bears no seal"),
        Answer(Word.NONE, "a history by itself bears no time stamp"),
    )


def verify_final(pdf: bytes, asked: Asked | None = None, *, now: datetime | None = None) -> Findings:
    """The seal of a final copy, and the original and history in it. `now`: by the machine's clock, unless given."""
    seen = _Seen()
    identity, time = Answer(Word.NONE, "no seal could be read"), Answer(Word.NONE, "no time stamp could be read")
    if not pdf.startswith(b"%PDF-"):
        seen.fails.append("this is no PDF file: it does not begin with %PDF-")
    else:
        try:
            reader = PdfFileReader(BytesIO(pdf))
            identity, time = _check_seals(reader, asked or Asked(), now or datetime.now(UTC), seen)
            _check_attachments(dict(_attachments(reader)), seen)
        except Exception as error:  # a damaged PDF makes a parser fail in any way; each of them is a finding
            seen.fails.append(f"the PDF is damaged and cannot be read to its end ({type(error).__name__})")
    if seen.fails:
        identity, time = _of_broken(identity), _of_broken(time)
    return Findings(_integrity(seen, "unchanged since it was sealed"), identity, time)


def _integrity(seen: _Seen, whole: str) -> Answer:
    if seen.fails:
        return Answer(Word.BROKEN, seen.fails[0], seen.fails[1:] + seen.holds)
    return Answer(Word.WHOLE, whole, seen.holds)


def _of_broken(answer: Answer) -> Answer:
    """A broken file proves nothing."""
    if answer.word is not Word.PROVEN:
        return answer
    return Answer(Word.CLAIMED, answer.text, [*answer.remarks, "it would be proven, were the file whole"])


def _check_seals(reader: PdfFileReader, asked: Asked, now: datetime, seen: _Seen) -> tuple[Answer, Answer]:
    seals = reader.embedded_regular_signatures
    if len(seals) != 1:
        text = "the PDF has no seal" if not seals else f"the PDF has {len(seals)} seals, not one"
        seen.fails.append(text)
        return Answer(Word.NONE, text), Answer(Word.NONE, text)
    return _check_seal(seals[0], asked, now, seen)


def _check_seal(seal: EmbeddedPdfSignature, asked: Asked, now: datetime, seen: _Seen) -> tuple[Answer, Answer]:
    status, time = trust.examine(seal, asked, now)
    _check_integrity(status, seen)
    identity = trust.identity(seal, status.signing_cert, asked, trust.proven_time(status, time), now)
    return identity, time


def _check_integrity(status: PdfSignatureStatus, seen: _Seen) -> None:
    if status.coverage == SignatureCoverageLevel.ENTIRE_FILE:
        seen.holds.append("the seal covers the whole file")
    else:
        seen.fails.append("the seal does not cover the whole file: something was added after sealing")
    if status.intact and status.valid:
        seen.holds.append("the sealed bytes are unchanged")
    elif status.intact:
        seen.fails.append("the seal's signature does not match its certificate")
    else:
        seen.fails.append("the sealed bytes were changed after sealing")


def _check_attachments(attached: dict[str, bytes], seen: _Seen) -> None:
    if EXTRACT_NAME in attached:
        _check_extract(attached[EXTRACT_NAME], seen)
        return
    missing = [name for name in (ORIGINAL_NAME, HISTORY_NAME) if name not in attached]
    for name in missing:
        seen.fails.append(f"{name} is not attached")
    history = _check_history(attached[HISTORY_NAME], seen) if HISTORY_NAME in attached else None
    if history is None or ORIGINAL_NAME not in attached:
        return
    if hashlib.sha256(attached[ORIGINAL_NAME]).hexdigest() == history.document_sha256:
        seen.holds.append("the attached original is the document that the history speaks of")
    else:
        seen.fails.append("the attached original is not the document that the history speaks of (SHA-256 differs)")


def _check_extract(data: bytes, seen: _Seen) -> None:
    """An extract carries neither original nor history: other paragraphs are not its readers' business."""
    try:
        said = json.loads(data)
        paragraph, copy = int(said["paragraph"]), str(said["sealed_copy_sha256"])
        known = said["format"] == EXTRACT_FORMAT and re.fullmatch("[0-9a-f]{64}", copy)
    except (ValueError, TypeError, KeyError):
        known = None
    if not known:
        seen.fails.append(f"{EXTRACT_NAME} cannot be read")
        return
    seen.holds.append(f"an extract of § {paragraph} of minutes whose sealed copy has the SHA-256 {copy}")


def _check_history(data: bytes, seen: _Seen) -> VerifiedHistory | None:
    try:
        history = verify_chain(data)
    except BrokenChain as broken:
        seen.fails.append(f"history: {broken.message}")
        return None
    count, erased = len(history.entries), sum(entry.payload is None for entry in history.entries)
    entries = f"{count} {'entry' if count == 1 else 'entries'}"
    if erased:
        seen.holds.append(f"history: {entries}, {erased} of them erased: what those said is gone; the chain holds")
    else:
        seen.holds.append(f"history: {entries}, none of them erased; the chain holds")
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
