"""Damaged and hostile scenarios, minutes, histories, final copies: one line, exit 1, in bounded time and memory."""

import json
import random
import resource
import subprocess
import sys
from pathlib import Path

import pytest

from services.archive.verification import verify_final, verify_history
from services.embedded.scenario import RefusedScenario, load_scenario
from services.meetings.minutes.minutes import parse_minutes
from shared.errors import InvalidInput
from tests.integration.rendering.sample import CREATED, sample_minutes
from tests.unit.signing.story import seed_story

pytestmark = pytest.mark.slow

DEMO = Path(__file__).parents[3] / "services" / "embedded" / "demo_data"
SCENARIO = next(DEMO.glob("*.yaml"))
MINUTES = next(DEMO.glob("*.md"))
_MEMORY = 1024**3  # bytes; the interpreter with its libraries takes some hundreds of MiB of addresses


def mutated(data: bytes, rng: random.Random) -> bytes:
    changed = bytearray(data)
    for _ in range(rng.choice((1, 2, 10))):
        at = rng.randrange(len(changed) or 1)
        kind = rng.randrange(5)
        if kind == 0:
            changed[at : at + 1] = bytes([rng.randrange(256)])
        elif kind == 1:
            del changed[at : at + rng.randrange(1, 200)]
        elif kind == 2:
            changed[at:at] = changed[at : at + 200]
        elif kind == 3:
            changed[at:at] = rng.choice((b"\0", b"[", b"{", b"&a ", b"*a", b"\xff", b": ", "\u202e".encode(), b"!!x "))
        else:
            del changed[at:]
    return bytes(changed)


def test_mutated_scenarios_are_refused_in_one_line(tmp_path: Path) -> None:
    rng = random.Random(1)
    (tmp_path / MINUTES.name).write_bytes(MINUTES.read_bytes())
    file = tmp_path / "scenario.yaml"
    for _ in range(400):
        file.write_bytes(mutated(SCENARIO.read_bytes(), rng))
        told = ""
        try:
            load_scenario(file)
        except RefusedScenario as error:
            told = error.message
        assert told.isprintable()
        assert len(told) < 1000


def test_mutated_minutes_are_refused_in_one_line() -> None:
    rng = random.Random(2)
    for _ in range(400):
        text = mutated(MINUTES.read_bytes(), rng).decode("utf-8", errors="surrogateescape")
        told = ""
        try:
            parse_minutes(text)
        except InvalidInput as error:
            told = error.message
        assert "\n" not in told


def test_no_mutated_history_is_whole() -> None:
    rng = random.Random(3)
    genuine = seed_story().history_json()
    assert verify_history(genuine).broken is None
    for _ in range(500):
        damaged = mutated(genuine, rng)
        try:
            same = json.loads(damaged) == json.loads(genuine)
        except ValueError:
            same = False
        found = verify_history(damaged).broken
        assert same or (found is not None and found.isprintable())


def test_no_mutated_final_copy_is_whole(tmp_path: Path) -> None:
    from shared.rendering.render import render_minutes

    rng = random.Random(4)
    unsealed = render_minutes(sample_minutes(), at=CREATED)
    for _ in range(60):
        found = verify_final(mutated(unsealed, rng)).broken
        assert found is not None
        assert "\n" not in found


_NASTY: dict[str, tuple[str, bytes]] = {
    "deep.json": ("verify", b"[" * 2_000_000),
    "wide.json": ("verify", b'{"entries": [' + b"{}," * 2_000_000 + b"{}]}"),
    "digits.json": ("verify", b'{"length": ' + b"9" * 5_000_000 + b"}"),
    "garbage.pdf": ("verify", b"%PDF-1.7\n" + b"<<" * 1_000_000),
    "loop.pdf": ("verify", b"%PDF-1.7\nxref\n0 1\n0000000000 65535 f \ntrailer<</Prev 9/Size 1>>startxref\n9\n%%EOF"),
    "empty.pdf": ("verify", b""),
    "laughs.yaml": ("replay", b"a: &a [x,x,x]\nb: &b [*a,*a,*a]\nc: [*b,*b,*b]\n"),
    "deep.yaml": ("replay", b"[" * 900_000),
    "big.yaml": ("replay", b"a: " + b"x" * 2_000_000),
    "nul.yaml": ("replay", b"language: \0"),
}


@pytest.mark.parametrize("name", _NASTY)
def test_nasty_files_take_neither_time_nor_memory(name: str, tmp_path: Path) -> None:
    command, content = _NASTY[name]
    file, out = tmp_path / name, tmp_path / "out"
    file.write_bytes(content)
    arguments = [command, str(file), *(["--out", str(out), "--quiet"] if command == "replay" else [])]
    done = subprocess.run(
        [sys.executable, "-c", "from services.cli.main import main; main()", *arguments],
        capture_output=True,
        timeout=60,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY)),
    )
    told = done.stderr.decode()
    assert (done.returncode, told.count("\n")) == (1, 1), told[-2000:]
    assert "bug of ours" not in told
    assert not out.exists()
