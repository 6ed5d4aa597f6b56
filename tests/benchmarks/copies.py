"""What documents cost: minutes rendered at drafting, and their final copy rendered and sealed. No services, no I/O.

    outcome = await copies()
    outcome.a_second_per_core, outcome.ratio

All times are CPU times of a process of its own, all its threads together. The minutes are the demo's, each with other
words in every paragraph, since a service hardly ever sees a document twice; all are drafted before the first final copy
is made, as another process would have done it. Each has three signers and a history of 17 entries.

The bare baseline: typst alone sets the same words as plain paragraphs with a warm compiler, and pyHanko alone signs a
blank page with the same key, both in the same process.
"""

import asyncio
import hashlib
import json
import re
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import timedelta
from functools import partial
from io import BytesIO
from pathlib import Path
from statistics import fmean
from tempfile import TemporaryDirectory
from typing import Any, TypeVar

import psutil
import typst
from pyhanko.pdf_utils import generic
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.pdf_utils.writer import PageObject, PdfFileWriter
from pyhanko.sign.signers import PdfSignatureMetadata, SimpleSigner, sign_pdf

import services.embedded
from services.archive.final_copy import Sources, checked_history, final_copy_job
from services.archive.local_authority import ensure_test_authority
from services.archive.seal import Sealer
from services.meetings.minutes.minutes import number_paragraphs, parse_minutes
from shared.events import (
    AgreementCompleted,
    AgreementCreated,
    BlobRef,
    DocumentSigned,
    DocumentViewed,
    EmailSent,
    Event,
    SignatureRequested,
    SignerInvitation,
    SignerNameEntered,
)
from shared.history import verify_chain
from shared.rendering.coverage import FONT_FOLDER
from shared.rendering.minutes import MinutesDocument
from shared.rendering.render import render_minutes
from shared.rendering.report import as_text, build_report
from shared.rendering.typesetting import typeset
from tests.integration.archive.completed import AGREEMENT, COMPLETED, CREATED, MEETING, NAME, SENDER, SIGNERS, chain
from tests.support.parts import REPOSITORY

T = TypeVar("T")

COPIES = 60
_IP = "192.0.2.12"
_WARM_UP = 5
_DEMO = Path(services.embedded.__file__).parent / "demo_data" / "minutes.md"
_PLAIN = """\
#set text(font: "Source Sans 3", size: 10.5pt)
#for line in json(bytes(sys.inputs.data)) { par(line) }
"""


@dataclass(frozen=True)
class Copies:
    """CPU milliseconds a document; resident memory in MB, before the first document and after the last."""

    copies: int
    draft_ms: float
    render_ms: float
    seal_ms: float
    bare_typst_ms: float
    bare_pyhanko_ms: float
    rss_before_mb: float
    rss_after_mb: float

    @property
    def a_second_per_core(self) -> float:
        """Final copies, rendered and sealed."""
        return 1000 / (self.render_ms + self.seal_ms)

    @property
    def ratio(self) -> float:
        """Of a core's final copies to those that the bare baseline would make."""
        return (self.bare_typst_ms + self.bare_pyhanko_ms) / (self.render_ms + self.seal_ms)


async def copies(count: int = COPIES) -> Copies:
    """Takes some seconds. Raises RuntimeError when the process fails."""
    command = [sys.executable, "-m", __name__, str(count)]
    process = await asyncio.create_subprocess_exec(*command, cwd=REPOSITORY, stdout=asyncio.subprocess.PIPE)
    output, _ = await process.communicate()
    if process.returncode:
        raise RuntimeError(f"{' '.join(command)} ended with {process.returncode}")
    return Copies(**json.loads(output))


class TimedSealer(Sealer):
    """Notes the CPU seconds of each seal."""

    def __init__(self, *parts: Any) -> None:
        super().__init__(*parts)
        self.seconds: list[float] = []

    def seal(self, pdf: bytes) -> bytes:
        seconds, sealed = _timed(partial(super().seal, pdf))
        self.seconds.append(seconds)
        return sealed


def measure(count: int, folder: Path) -> Copies:
    documents = [_minutes(number) for number in range(count + _WARM_UP)]
    rss_before = _resident()
    drafts = [_timed(partial(render_minutes, document, at=CREATED)) for document in documents]
    agreements = [_agreement(document, pdf) for document, (_, pdf) in zip(documents, drafts, strict=True)]
    sealer = TimedSealer.from_test_authority(folder / "ca")

    def make(completed: AgreementCompleted, sources: Sources) -> bytes:
        history = checked_history(completed, sources)
        return sealer.seal(typeset(final_copy_job(completed, sources, history, completed_at=COMPLETED)))

    finals = [_timed(partial(make, *agreement))[0] for agreement in agreements]
    rss_after = _resident()
    words = [_words(document, sources) for document, (_, sources) in zip(documents, agreements, strict=True)]
    seal = _milliseconds(sealer.seconds)
    return Copies(
        copies=count,
        draft_ms=_milliseconds([seconds for seconds, _ in drafts]),
        render_ms=_milliseconds(finals) - seal,
        seal_ms=seal,
        bare_typst_ms=_bare_typst(words, folder),
        bare_pyhanko_ms=_bare_pyhanko(count, folder),
        rss_before_mb=rss_before,
        rss_after_mb=rss_after,
    )


def _bare_typst(documents: Sequence[list[str]], folder: Path) -> float:
    """Milliseconds a document."""
    (folder / "plain.typ").write_text(_PLAIN)
    fonts = typst.Fonts(include_system_fonts=False, font_paths=[str(FONT_FOLDER)])
    compiler = typst.Compiler(str(folder / "plain.typ"), root=str(folder), font_paths=fonts, ignore_system_fonts=True)
    inputs = [{"data": json.dumps(words)} for words in documents]
    return _milliseconds([_timed(partial(compiler.compile, sys_inputs=one))[0] for one in inputs])


def _bare_pyhanko(count: int, folder: Path) -> float:
    """Milliseconds a signature."""
    authority = ensure_test_authority(folder / "ca")
    signer = SimpleSigner.load(str(authority.seal_key), str(authority.seal_certificate))
    blank = _blank_page()

    def sign() -> None:
        sign_pdf(IncrementalPdfFileWriter(BytesIO(blank)), PdfSignatureMetadata(field_name="Signature"), signer)

    return _milliseconds([_timed(sign)[0] for _ in range(count + _WARM_UP)])


def _blank_page() -> bytes:
    writer, output = PdfFileWriter(), BytesIO()
    contents = writer.add_object(generic.StreamObject(stream_data=b""))
    writer.insert_page(PageObject(contents=contents, media_box=(0, 0, 595, 842)))
    writer.write(output)
    return output.getvalue()


def _minutes(number: int) -> MinutesDocument:
    """The demo's, with a word of its own before each of the text's paragraphs."""
    front, end, body = _DEMO.read_text().partition("\n---\n")
    own = re.sub(r"(?<=\n\n)(?=[^\W\d])", f"Ärende {number}: ", body)
    return number_paragraphs(parse_minutes(front + end + own), 28)


def _agreement(document: MinutesDocument, original: bytes) -> tuple[AgreementCompleted, Sources]:
    render_input = document.model_dump_json().encode()
    pdf = _reference(original, "application/pdf")
    events = list(_events(pdf, _reference(render_input, "application/json")))
    moments = [CREATED + timedelta(minutes=n) for n in range(len(events))]
    history = chain(list(zip(events, moments, strict=True)), pdf.sha256, AGREEMENT)
    completed = events[-1]
    assert isinstance(completed, AgreementCompleted)
    return completed, Sources(original, history, render_input)


def _reference(content: bytes, media_type: str) -> BlobRef:
    return BlobRef(sha256=hashlib.sha256(content).hexdigest(), size=len(content), media_type=media_type)


def _events(pdf: BlobRef, render_input: BlobRef) -> Iterator[Event]:
    common = {"agreement_id": AGREEMENT, "language": "sv", "document_name": NAME}
    documents = {"document": pdf, "render_input": render_input, "template_version": "1", "meeting_id": MEETING}
    signers = tuple(SignerInvitation(role=role, email=email, name=name) for role, name, email in SIGNERS)
    whole: dict[str, Any] = {**common, **documents, "timezone": "Europe/Stockholm"}
    yield AgreementCreated(**whole, sender=SENDER, ip=_IP, signers=signers)
    for place, signer in enumerate(signers):
        yield from _signing(place, signer, pdf, common)
    yield AgreementCompleted(**whole, recipients=(SENDER,))


def _signing(place: int, signer: SignerInvitation, pdf: BlobRef, common: dict[str, Any]) -> Iterator[Event]:
    request = {"request_id": f"request-{place}", "place": place, "email": signer.email, "name": signer.name}
    act: dict[str, Any] = {**request, "agreement_id": AGREEMENT, "ip": _IP}
    yield SignatureRequested(
        **common, **request, version=1, role=signer.role, purpose="first", sender=SENDER, expires="2022-10-26T00:00:00Z"
    )
    yield EmailSent(
        email_id=f"email-{place}",
        agreement_id=AGREEMENT,
        purpose="signature-request",
        recipient=signer.email,
        request_id=f"request-{place}",
        request_version=1,
        message_id=f"<{place}@norrdalen.example>",
    )
    yield DocumentViewed(**act, first=True)
    yield SignerNameEntered(**act)
    yield DocumentSigned(**act, role=signer.role, document_sha256=pdf.sha256, language="sv", document_name=NAME)


def _words(document: MinutesDocument, sources: Sources) -> list[str]:
    """All texts of a final copy, a line each."""
    report = as_text(build_report(verify_chain(sources.history).entries))
    return [*_strings(document.model_dump(mode="json")), *report.splitlines()]


def _strings(data: Any) -> Iterator[str]:
    match data:
        case str():
            yield data
        case dict():
            for value in data.values():
                yield from _strings(value)
        case list():
            for value in data:
                yield from _strings(value)


def _timed(work: Callable[[], T]) -> tuple[float, T]:
    """CPU seconds of this process, and the outcome."""
    begun = time.process_time()
    outcome = work()
    return time.process_time() - begun, outcome


def _milliseconds(seconds: Sequence[float]) -> float:
    """The mean, the first few left out."""
    return fmean(seconds[_WARM_UP:]) * 1000


def _resident() -> float:
    return psutil.Process().memory_info().rss / 1e6


if __name__ == "__main__":
    with TemporaryDirectory(prefix="justera-bench-") as scratch:
        print(json.dumps(asdict(measure(int(sys.argv[1]), Path(scratch)))))
