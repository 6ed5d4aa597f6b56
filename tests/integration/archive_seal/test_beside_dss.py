"""The same files and questions for us and for the EU's validator (DSS): we never say better than it.

DSS knows one list of trusted certificates, ours are two: it is given both. A certificate that we pin is trusted by it.
"""

import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from io import BytesIO
from pathlib import Path

import pytest
from asn1crypto import cms
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import CertificateRevocationList
from pyhanko.pdf_utils.generic import StreamObject, pdf_name
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.validation import EmbeddedPdfSignature

from services.archive.findings import BROKEN, UNIDENTIFIED, Findings, Word
from services.archive.trust import Asked, Pin, load_crls, load_roots
from services.archive.verification import verify_final
from tests.integration.archive_seal.authorities import NOW, ORGANISATION, YEAR, Authority, Issued
from tests.integration.archive_seal.conftest import Copy
from tests.support.maven import java

pytestmark = [pytest.mark.slow, pytest.mark.timeout(400)]  # Java compiles, and judges all at once, beside other tests

DAY = timedelta(days=1)
_VERSION = "6.2"
_JARS = ("dss-pades-pdfbox", "dss-validation", "dss-utils-apache-commons", "dss-crl-parser-stream")
_COORDINATES = tuple(f"eu.europa.ec.joinup.sd-dss:{name}:{_VERSION}" for name in _JARS)

PASSED, INDETERMINATE, FAILED = "TOTAL_PASSED", "INDETERMINATE", "TOTAL_FAILED"


@dataclass(frozen=True)
class Question:
    sealed: bytes
    sealed_by: str
    roots: tuple[Authority | Issued, ...] = ()
    time_roots: tuple[Authority | Issued, ...] = ()
    crls: tuple[CertificateRevocationList, ...] = ()
    pinned: tuple[Issued, ...] = ()

    def ask(self, folder: Path) -> Findings:
        """Us; and what DSS is to be asked is left in `folder`."""
        folder.mkdir()
        (folder / "sealed.pdf").write_bytes(self.sealed)
        roots = [one.write(folder / f"root-{n}.pem") for n, one in enumerate(self.roots)]
        time_roots = [one.write(folder / f"time-{n}.pem") for n, one in enumerate(self.time_roots)]
        for n, pinned in enumerate(self.pinned):
            pinned.write(folder / f"pinned-{n}.pem")
        for n, one in enumerate(self.crls):
            (folder / f"{n}.crl").write_bytes(one.public_bytes(Encoding.DER))
        asked = Asked(
            sealed_by=Pin.of(self.sealed_by),
            roots=load_roots(roots),
            time_roots=load_roots(time_roots),
            crls=load_crls(sorted(folder.glob("*.crl"))),
        )
        return verify_final(self.sealed, asked)


@dataclass
class World:
    """An honest root, an honest clock, and what they issued."""

    final: bytes
    root: Authority = field(default_factory=Authority)
    clock: Authority = field(default_factory=lambda: Authority("Tidens rot", "Klockan AB"))

    def __post_init__(self) -> None:
        self.seal, self.stamps = self.root.issue(), self.clock.stamps()
        self.honest = self.seal.sealer(self.stamps, NOW - 5 * DAY).seal(self.final)
        self.expired = self.root.issue(since=NOW - 2 * YEAR, until=NOW - YEAR)
        self.then = self.expired.sealer(self.clock.stamps(since=NOW - 3 * YEAR), NOW - 2 * YEAR + DAY)

    def chain(self, sealed: bytes, *lists: CertificateRevocationList, by: str = f"O={ORGANISATION}") -> Question:
        """As one who has both roots and lists of them, and expects a subject."""
        crls = lists or (self.root.crl(), self.clock.crl())
        return Question(sealed, by, (self.root,), (self.clock,), crls)

    def pin(self, sealed: bytes, pinned: Issued) -> Question:
        return Question(sealed, pinned.fingerprint, (), (self.clock,), (self.clock.crl(),), (pinned,))

    def revoked(self, at: object) -> Question:
        listed = self.root.crl({self.seal.certificate.serial_number: at})  # type: ignore[dict-item]
        return self.chain(self.honest, listed, self.clock.crl())

    def self_made(self) -> Question:
        forger = Authority()
        return self.chain(forger.issue().sealer(forger.stamps(since=NOW - 9 * YEAR), NOW - 6 * YEAR).seal(self.final))


def _flipped(data: bytes) -> bytes:
    at = data.index(b"stream") + 40
    return data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]


def _restamped(data: bytes, other: bytes | None) -> bytes:
    """With the time stamp of `other`, or none: it stands beside what is signed."""
    seal, content = _signature(data)
    attributes = [] if other is None else _signer(_signature(other)[1])["unsigned_attrs"]
    _signer(content)["unsigned_attrs"] = attributes
    start, end = (int(seal.byte_range[1]) + 1, int(seal.byte_range[2]) - 1)
    return data[:start] + content.dump().hex().encode().ljust(end - start, b"0") + data[end:]


def _signature(data: bytes) -> tuple[EmbeddedPdfSignature, cms.ContentInfo]:
    (seal,) = PdfFileReader(BytesIO(data)).embedded_regular_signatures
    return seal, cms.ContentInfo.load(seal.pkcs7_content)


def _signer(content: cms.ContentInfo) -> cms.SignerInfo:
    return content["content"]["signer_infos"][0]


def _revised(data: bytes) -> bytes:
    """A later revision takes the first page's text away."""
    writer = IncrementalPdfFileWriter(BytesIO(data))
    page = writer.root["/Pages"]["/Kids"][0].get_object()
    while "/Kids" in page:
        page = page["/Kids"][0].get_object()
    page[pdf_name("/Contents")] = writer.add_object(StreamObject(stream_data=b""))
    writer.update_container(page)
    out = BytesIO()
    writer.write(out)
    return out.getvalue()


_Words = tuple[Word, Word, Word]
W, P, C, R, X = Word.WHOLE, Word.PROVEN, Word.CLAIMED, Word.REFUTED, Word.BROKEN
CASES: Mapping[str, tuple[Callable[[World], Question], _Words, str]] = {
    "expected under a root": (lambda w: w.chain(w.honest), (W, P, P), PASSED),
    "pinned": (lambda w: w.pin(w.honest, w.seal), (W, P, P), PASSED),
    "no list": (
        lambda w: Question(w.honest, f"O={ORGANISATION}", (w.root,), (w.clock,)),
        (W, C, C),
        INDETERMINATE,
    ),
    "nothing trusted": (lambda w: Question(w.honest, f"O={ORGANISATION}"), (W, C, C), INDETERMINATE),
    "self-made, backdated": (lambda w: w.self_made(), (W, C, C), INDETERMINATE),
    "another under the root": (
        lambda w: w.chain(w.root.issue("Protokoll", "Annan AB").sealer(w.stamps).seal(w.final)),
        (W, R, P),
        PASSED,  # it has no question about who
    ),
    "no stamp": (lambda w: w.chain(w.seal.sealer().seal(w.final)), (W, P, C), PASSED),
    "revoked before": (lambda w: w.revoked(NOW - 9 * DAY), (W, R, P), INDETERMINATE),
    "revoked after": (lambda w: w.revoked(NOW - DAY), (W, P, P), PASSED),
    "expired, pinned, stamped while valid": (
        lambda w: w.pin(w.then.seal(w.final), w.expired),
        (W, P, P),
        PASSED,
    ),
    "expired, a list of after its end": (lambda w: w.chain(w.then.seal(w.final)), (W, C, P), INDETERMINATE),
    "expired, a list that keeps it": (
        lambda w: w.chain(w.then.seal(w.final), w.root.crl(keeps_since=NOW - 5 * YEAR), w.clock.crl()),
        (W, P, P),
        PASSED,
    ),
    "stamped after it expired": (lambda w: w.chain(w.expired.sealer(w.stamps).seal(w.final)), (W, R, P), INDETERMINATE),
    "expired, no trusted stamp": (
        lambda w: Question(w.then.seal(w.final), f"O={ORGANISATION}", (w.root,), (), (w.root.crl(),)),
        (W, C, C),
        INDETERMINATE,
    ),
    "stale lists": (
        lambda w: w.chain(w.honest, w.root.crl(this=NOW - 90 * DAY), w.clock.crl(this=NOW - 90 * DAY)),
        (W, C, C),
        PASSED,  # its policy takes an old list; ours asks for one that is of today
    ),
    "the stamp taken out": (lambda w: w.chain(_restamped(w.honest, None)), (W, P, C), PASSED),
    "the stamp of another": (
        lambda w: w.chain(_restamped(w.honest, w.seal.sealer(w.stamps).seal(w.final))),
        (W, P, R),
        PASSED,
    ),
    # It judges the revision that was sealed, and warns of what came after.
    "another revision": (lambda w: w.chain(_revised(w.honest)), (X, C, C), PASSED),
    "a flipped bit": (lambda w: w.chain(_flipped(w.honest)), (X, C, C), FAILED),
    "something appended": (lambda w: w.chain(w.honest + b"\n% more"), (X, C, C), PASSED),
    "cut": (lambda w: w.chain(w.honest[:-2000]), (X, Word.NONE, Word.NONE), "UNSIGNED"),
}


@dataclass(frozen=True)
class Judged:
    ours: Findings
    indication: str
    format: str
    stamps: str


@pytest.fixture(scope="module")
def judged(copy: Copy, tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Judged]:
    """All cases at once: what takes time is Java's start."""
    command = java("dss", *_COORDINATES, program=str(Path(__file__).with_name("Dss.java")))
    folder, world = tmp_path_factory.mktemp("dss"), World(copy.final)
    ours = {name: make(world).ask(folder / name) for name, (make, _, _) in CASES.items()}
    asked = [str(folder / name) for name in CASES]
    finished = subprocess.run([*command, *asked], capture_output=True, text=True, check=False)
    assert finished.returncode == 0, finished.stderr
    lines = [line.split("\t") for line in finished.stdout.splitlines()]
    return {name: Judged(ours[name], said, level, stamps) for name, said, _, level, stamps in lines}


@pytest.mark.parametrize("name", CASES)
def test_each_says_what_it_is(name: str, judged: Mapping[str, Judged]) -> None:
    _, expected, indication = CASES[name]
    ours = judged[name].ours
    assert (ours.integrity.word, ours.identity.word, ours.time.word) == expected, ours
    assert judged[name].indication == indication


@pytest.mark.parametrize("name", CASES)
def test_we_never_say_better_than_the_eus_validator(name: str, judged: Mapping[str, Judged]) -> None:
    one = judged[name]
    if one.indication != PASSED:
        assert one.ours.identity.word is not Word.PROVEN
        assert one.ours.status in (BROKEN, UNIDENTIFIED)
    if one.indication == FAILED:
        assert one.ours.status == BROKEN
    if one.ours.time.word is Word.PROVEN:
        assert one.stamps == "PASSED"


def test_our_seals_are_of_the_level_that_we_say(judged: Mapping[str, Judged]) -> None:
    assert judged["expected under a root"].format == "PAdES-BASELINE-T"
    assert judged["no stamp"].format == "PAdES-BASELINE-B"
