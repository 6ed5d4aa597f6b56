"""Documents are set in another process: what goes wrong there costs one document."""

import asyncio
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from shared.rendering import press as press_module
from shared.rendering.minutes import MinutesDocument, Paragraph, Run, Text
from shared.rendering.press import CannotBeSet, Limits, Press
from shared.rendering.render import final_job, minutes_job, render_final, render_minutes
from tests.integration.rendering.sample import CREATED, sample_minutes, sample_report, sample_stamps
from tests.integration.rendering.tools import plain_attachments

PANICS = "ع" * 33_000
SLOW = "ord och mening " * 60_000


@pytest.fixture
def kept_presses() -> None:
    """Here each press has children of its own."""


@pytest.fixture
async def press() -> AsyncIterator[Press]:
    made = Press()
    yield made
    await made.stop()


def with_text(text: str) -> MinutesDocument:
    """By the first template, which does not break long words."""
    paragraph = Paragraph(number=1, heading="A", blocks=(Text(runs=(Run(text=text),)),))
    return sample_minutes().model_copy(update={"paragraphs": (paragraph,), "template_version": 1})


def children(press: Press) -> list[int]:
    return [child._process.pid for child in press._resting]


async def test_the_same_bytes_as_in_this_process(press: Press) -> None:
    parts = {"stamps": sample_stamps(), "report": sample_report(), "attachments": plain_attachments(), "at": CREATED}
    document = sample_minutes()
    jobs = (minutes_job(document, at=CREATED), final_job(document, **parts), minutes_job(document, at=CREATED))  # type: ignore[arg-type]
    original, final, again = await asyncio.gather(*map(press.set, jobs))
    assert original == again == render_minutes(document, at=CREATED)
    assert final == render_final(document, **parts)  # type: ignore[arg-type]


async def test_a_panic_is_a_refusal_and_a_document_that_was_accepted_is_set_at_any_rate(press: Press) -> None:
    job = minutes_job(with_text(PANICS), at=CREATED)
    with pytest.raises(CannotBeSet, match=r"cannot be set as a PDF \(PanicException\)"):
        await press.set_as_it_is(job)
    assert (await press.set(job)).startswith(b"%PDF-")


async def test_what_takes_too_long_is_ended_and_the_next_document_is_set() -> None:
    press = Press(Limits(seconds=0.5))
    begun = time.monotonic()
    with pytest.raises(CannotBeSet, match=r"takes more than 0\.5 seconds"):
        await press.set_as_it_is(minutes_job(with_text(SLOW), at=CREATED))
    assert time.monotonic() - begun < 5
    assert await press.set_as_it_is(minutes_job(with_text("Kort."), at=CREATED))
    await press.stop()


async def test_what_takes_too_much_memory_is_refused_and_the_next_document_is_set() -> None:
    press = Press(Limits(memory=200 * 1024**2))
    with pytest.raises(CannotBeSet, match="takes more memory than it may"):
        await press.set_as_it_is(minutes_job(with_text(SLOW), at=CREATED))
    assert await press.set_as_it_is(minutes_job(with_text("Kort."), at=CREATED))
    await press.stop()


async def test_a_child_that_died_is_replaced(press: Press) -> None:
    job = minutes_job(with_text("Kort."), at=CREATED)
    await press.set(job)
    press._resting[0]._process.kill()
    assert (await press.set(job)).startswith(b"%PDF-")


async def test_the_child_knows_no_secret_and_ends_when_idle(press: Press, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JUSTERA_SESSION_KEY", "secret of the service")
    monkeypatch.setattr(press_module, "_IDLE", 0.2)
    await press.set(minutes_job(with_text("Kort."), at=CREATED))
    (pid,) = children(press)
    process = Path(f"/proc/{pid}")
    assert b"JUSTERA" not in await asyncio.to_thread((process / "environ").read_bytes)
    await asyncio.sleep(0.5)
    assert children(press) == []
    assert not await asyncio.to_thread(process.exists)
