"""Changed final copies and histories at `justera verify`: no change of what is sealed passes, no file costs much."""

import json
import random
import resource
import subprocess
import sys
import zlib
from collections.abc import Callable, Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from pyhanko.pdf_utils import generic
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.pdf_utils.reader import PdfFileReader

from services.archive.findings import UNIDENTIFIED, Findings, Word
from services.archive.verification import verify_final, verify_history
from tests.integration.archive_seal.conftest import Copy
from tests.integration.fuzz.mutations import VALUES, paths, replaced, without
from tests.unit.signing.story import seed_story

pytestmark = pytest.mark.slow

_MEMORY = 1024**3  # bytes of addresses; the interpreter with its libraries takes some hundreds of MiB


def told(findings: Findings) -> str:
    """The one line of what is broken."""
    broken = findings.broken
    assert broken is not None
    assert broken.isprintable()
    assert len(broken) < 1000
    return broken


def sealed_places(pdf: bytes) -> list[int]:
    """Where the sealed bytes lie: all but the seal's own."""
    [seal] = PdfFileReader(BytesIO(pdf)).embedded_regular_signatures
    start, length, resume, rest = (int(number) for number in seal.byte_range)
    return [*range(start, start + length), *range(resume, resume + rest)]


def test_no_flipped_bit_passes(copy: Copy) -> None:
    rng = random.Random(31)
    for at in rng.sample(sealed_places(copy.sealed), 150):
        changed = bytearray(copy.sealed)
        changed[at] ^= 1 << rng.randrange(8)
        told(verify_final(bytes(changed)))


def test_the_seals_own_bytes_spoilt_seal_nothing_else_and_for_no_other(copy: Copy) -> None:
    """What no signature covers (the authority's certificate, beside the seal's) may be spoilt: trust ends, no more."""
    rng = random.Random(32)
    [seal] = PdfFileReader(BytesIO(copy.sealed)).embedded_regular_signatures
    start = int(seal.byte_range[1])
    found: list[Findings] = []
    for _ in range(80):
        changed = bytearray(copy.sealed)
        at = start + rng.randrange(len(seal.pkcs7_content) * 2)
        changed[at : at + 1] = rng.choice((b"0", b"f", b"7", b">", b"\0", b"z"))
        found.append(verify_final(bytes(changed)))
        if found[-1].broken is None:
            assert found[-1].identity.text.startswith('sealed by "Justera test seal, Justera test"')
            assert "the sealed bytes are unchanged" in found[-1].integrity.remarks
        else:
            told(found[-1])
    spoilt = [one for one in found if one.broken is not None or one.time.word is not Word.CLAIMED]
    assert len(spoilt) > len(found) / 3


def test_no_cut_doubled_or_shuffled_file_passes(copy: Copy) -> None:
    rng = random.Random(33)
    whole = copy.sealed
    for _ in range(60):
        one, two = sorted(rng.sample(range(1, len(whole)), 2))
        cut = rng.choice((whole[:one], whole[one:], whole[:one] + whole[two:], whole[:two] + whole[one:]))
        told(verify_final(rng.choice((cut, b"%PDF-1.7\n" + cut))))
    for tail in (b"\n", b"\0", b"%", whole, copy.final, b"\nstartxref\n0\n%%EOF\n", b"x" * 100_000):
        told(verify_final(whole + tail))


def appended(pdf: bytes, change: Callable[[IncrementalPdfFileWriter], None]) -> bytes:
    """The file with another revision behind its end, as an editor would save it."""
    writer = IncrementalPdfFileWriter(BytesIO(pdf))
    change(writer)
    out = BytesIO()
    writer.write(out)
    return out.getvalue()


def attachments(writer: IncrementalPdfFileWriter) -> Iterator[generic.DictionaryObject]:
    names = writer.root["/Names"]["/EmbeddedFiles"]["/Names"]
    yield from (names[number] for number in range(1, len(names), 2))


def _other_contents(writer: IncrementalPdfFileWriter) -> None:
    """Every attachment's content replaced by another's: the history as the original, and so on."""
    found = list(attachments(writer))
    contents = [one["/EF"]["/F"].data for one in found]
    for one, content in zip(found, [*contents[1:], contents[0]], strict=True):
        stream = generic.StreamObject(stream_data=content)
        one["/EF"][generic.NameObject("/F")] = writer.add_object(stream)
        writer.update_container(one["/EF"])


def _other_names(writer: IncrementalPdfFileWriter) -> None:
    for number, one in enumerate(attachments(writer)):
        one[generic.NameObject("/UF")] = one[generic.NameObject("/F")] = generic.pdf_string(f"{number}.json")
        writer.update_container(one)


def _another_title(writer: IncrementalPdfFileWriter) -> None:
    writer.root[generic.NameObject("/Lang")] = generic.pdf_string("xx")
    writer.update_root()


def _without_attachments(writer: IncrementalPdfFileWriter) -> None:
    del writer.root["/Names"]
    writer.update_root()


def _bomb(writer: IncrementalPdfFileWriter) -> None:
    """Attachments of more than a GiB in a few MiB."""
    squeezed = zlib.compressobj(1)
    block = bytes(1024 * 1024)
    data = b"".join(squeezed.compress(block) for _ in range(1200)) + squeezed.flush()
    for one in attachments(writer):
        stream = generic.StreamObject(
            {generic.pdf_name("/Filter"): generic.pdf_name("/FlateDecode")}, encoded_data=data
        )
        one["/EF"][generic.NameObject("/F")] = writer.add_object(stream)
        writer.update_container(one["/EF"])


REVISIONS = (_other_contents, _other_names, _another_title, _without_attachments)


@pytest.mark.parametrize("change", REVISIONS)
def test_no_appended_revision_passes(change: Callable[[IncrementalPdfFileWriter], None], copy: Copy) -> None:
    assert "added after sealing" in told(verify_final(appended(copy.sealed, change)))
    told(verify_final(appended(copy.final, change)))  # and without a seal neither


def test_no_history_of_other_content_is_whole() -> None:
    genuine = json.loads(seed_story().history_json())
    rng = random.Random(34)
    places = list(paths(genuine))
    changed: list[Any] = [without(genuine, rng.choice(places)) for _ in range(60)]
    changed += [replaced(genuine, rng.choice(places), rng.choice(VALUES)) for _ in range(200)]
    entries = genuine["entries"]
    for number in range(len(entries)):
        changed.append({**genuine, "entries": [*entries[:number], *entries[number + 1 :]]})
        changed.append({**genuine, "entries": [*entries[:number], entries[number], *entries[number:]]})
        changed.append({**genuine, "entries": [*entries[:number], *reversed(entries[number:])]})
    for one in changed:
        if one != genuine:
            told(verify_history(json.dumps(one).encode()))


def _flipped(pdf: bytes) -> bytes:
    middle = len(pdf) // 2
    return pdf[:middle] + bytes([pdf[middle] ^ 4]) + pdf[middle + 1 :]


FILES: dict[str, Callable[[bytes], bytes]] = {
    "flipped": _flipped,
    "cut": lambda pdf: pdf[:-700],
    "other contents": lambda pdf: appended(pdf, _other_contents),
    "bomb": lambda pdf: appended(pdf, _bomb),
}


@pytest.mark.parametrize("name", FILES)
def test_the_command_says_so_in_one_line(name: str, copy: Copy, tmp_path: Path) -> None:
    file = tmp_path / "protocol.pdf"
    file.write_bytes(FILES[name](copy.sealed))
    done = verify(file)
    assert (done.returncode, done.stderr.count("\n")) == (1, 1), done.stderr
    assert "MemoryError" not in done.stderr + done.stdout


def test_the_command_finds_the_whole_one_whole(copy: Copy, tmp_path: Path) -> None:
    file = tmp_path / "protocol.pdf"
    file.write_bytes(copy.sealed)
    done = verify(file)
    assert done.returncode == UNIDENTIFIED
    assert done.stdout.startswith("integrity whole ")


def verify(file: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", "from services.cli.main import main; main()", "verify", str(file)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY)),
    )
