"""Sets documents, and binds files into them, in a process of its own, ended when one takes too long or too much.

typst may loop, panic or take all memory for some text that nobody thought of, and a file may be made to do so to who
reads it: that must cost one document, not the service. A child is started for the first document and ended when none
has come for half a minute. It gets the job and nothing else: no secret is in its environment, and what it prints goes
nowhere, since a panic quotes the text.
"""

import asyncio
import json
import os
import signal
import subprocess
import sys
import weakref
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from threading import Lock
from typing import Any, ClassVar

from shared.errors import InvalidInput, Unavailable
from shared.logging import get_logger
from shared.rendering.bound import BoundFile, CannotBeBound
from shared.rendering.typesetting import AS_IT_IS, AT_ANY_RATE, Job

log = get_logger(__name__)

_IDLE = 30.0  # seconds
_COUNTING = 5.0  # seconds, of a file that is tried
_BINDING = 60.0  # seconds, of files that were tried
_CODE = Path(__file__).parents[2]
_ENVIRONMENT = ("PATH", "LANG", "LC_ALL", "TMPDIR", "SYSTEMROOT", "LD_LIBRARY_PATH")


@dataclass(frozen=True, slots=True)
class Limits:
    """For one document: minutes of 1 MiB take some 5 seconds and 350 MiB of address space."""

    seconds: float = 15.0
    memory: int = 640 * 1024**2  # bytes of address space


class CannotBeSet(InvalidInput):
    """The document is at fault: it takes too long or too much, or typst refuses it."""

    slug: ClassVar[str] = "cannot-be-set"


@dataclass(frozen=True, slots=True)
class _Order:
    """What a child is to do: a line of JSON, and files after it."""

    what: Mapping[str, Any]
    files: tuple[bytes, ...]
    seconds: float

    @property
    def line(self) -> bytes:
        sizes = [len(file) for file in self.files]
        return json.dumps({**self.what, "sizes": sizes, "seconds": self.seconds}).encode() + b"\n"


class Press:
    """`at_once` children at most; more documents wait. `start` and `stop` as a service's workers have them.

    `child`: the module that a child runs; see `press_child.serve`.
    """

    def __init__(
        self, limits: Limits = Limits(), *, at_once: int = 2, child: str = "shared.rendering.press_child"
    ) -> None:
        self._limits = limits
        self._child = child
        self._places = asyncio.Semaphore(at_once)
        self._resting: list[_Child] = []
        self._lock = Lock()
        self._stopped = False
        self._idle: asyncio.TimerHandle | None = None
        self._at_exit = weakref.finalize(self, _end_all, self._resting)

    def start(self) -> None:
        """The first document starts the first child."""
        self._stopped = False

    async def stop(self) -> None:
        """A document in hand is finished."""
        self._stopped = True
        if self._idle is not None:
            self._idle.cancel()
        await asyncio.to_thread(_end_all, self._resting)

    async def set(self, job: Job) -> bytes:
        """The PDF, whatever its texts: one that was accepted once must come out. Raises Unavailable, CannotBeSet."""
        try:
            return await self._in_turn(_setting(job, slice(None), self._limits.seconds))
        except CannotBeSet as error:
            log.warning("press.set_at_any_rate", error=error.message)
            return await self._in_turn(_setting(job, AT_ANY_RATE, self._limits.seconds))

    async def set_as_it_is(self, job: Job, *, seconds: float | None = None) -> bytes:
        """The PDF with every character as it was written. Raises CannotBeSet, Unavailable."""
        limit = min(seconds or self._limits.seconds, self._limits.seconds)
        return await self._in_turn(_setting(job, AS_IT_IS, limit))

    async def picture(self, job: Job, *, first: int = 0, most: int = 1, ppi: float = 100) -> list[str]:
        """Pages as PNG in Base64, see `typesetting.picture`. Raises CannotBeSet, Unavailable."""
        order = _setting(job, AS_IT_IS, self._limits.seconds)
        what = {**order.what, "task": "picture", "first": first, "most": most, "ppi": ppi}
        made: list[str] = json.loads(await self._in_turn(_Order(what, order.files, order.seconds)))
        return made

    async def count_pages(self, content: bytes, media_type: str) -> int:
        """How many a PDF or an image has when it is bound in, which is tried. Raises CannotBeBound, Unavailable."""
        what = {"task": "count", "media_type": media_type}
        try:
            return int(await self._in_turn(_Order(what, (content,), min(_COUNTING, self._limits.seconds))))
        except CannotBeSet as error:
            raise CannotBeBound("heavy") from error

    async def bind(self, own: bytes, files: Sequence[BoundFile], contents: Sequence[bytes]) -> bytes:
        """See `binding.bind`. Raises CannotBeBound, CannotBeSet, Unavailable."""
        what = {"task": "bind", "files": [asdict(file) for file in files]}
        return await self._in_turn(_Order(what, (own, *contents), _BINDING))

    async def work(self, task: str, *files: bytes, **what: Any) -> bytes:
        """What a task of the child's module makes of some files. Raises CannotBeSet, Unavailable."""
        return await self._in_turn(_Order({**what, "task": task}, files, self._limits.seconds))

    async def _in_turn(self, order: _Order) -> bytes:
        async with self._places:
            made = await asyncio.to_thread(self._do, order)
        self._end_when_idle()
        return made

    def _do(self, order: _Order) -> bytes:
        with self._lock:
            child = self._resting.pop() if self._resting else None
        if child is not None:
            try:
                return self._by(child, order)
            except _ChildEnded:
                pass  # perhaps for what earlier documents left in its memory
        return self._by(_Child(self._child, self._limits.memory), order)

    def _by(self, child: "_Child", order: _Order) -> bytes:
        try:
            made = child.do(order)
        except BaseException:
            child.end()
            raise
        if self._stopped:
            child.end()
        else:
            with self._lock:
                self._resting.append(child)
        return made

    def _end_when_idle(self) -> None:
        if self._idle is not None:
            self._idle.cancel()
        self._idle = asyncio.get_running_loop().call_later(_IDLE, _end_all, self._resting)


class _ChildEnded(Unavailable):
    """It ended without an answer."""


class _Child:
    def __init__(self, module: str, memory: int) -> None:
        environment = {name: os.environ[name] for name in _ENVIRONMENT if name in os.environ}
        # Few threads and arenas: each counts against the limit of address space.
        environment |= {"PYTHONPATH": str(_CODE), "RAYON_NUM_THREADS": "2", "MALLOC_ARENA_MAX": "2"}
        self._process = subprocess.Popen(  # noqa: S603
            [sys.executable, "-m", module, str(memory)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=environment,
            cwd="/",
        )

    def do(self, order: _Order) -> bytes:
        """Raises CannotBeSet, CannotBeBound, _ChildEnded."""
        requests, answers = self._process.stdin, self._process.stdout
        assert requests is not None and answers is not None  # noqa: S101, PT018  (pipes)
        try:
            requests.write(order.line)
            for file in order.files:
                requests.write(file)
            requests.flush()
            line = answers.readline()
            head = json.loads(line) if line else {}
            made = answers.read(head["size"]) if "size" in head else b""
        except OSError:
            head, made = {}, b""
        if "trouble" in head:
            raise CannotBeBound(head["trouble"])
        if "error" in head:
            raise CannotBeSet(f"the document cannot be set as a PDF ({head['error']})")
        if "size" not in head or len(made) != head["size"]:
            self._tell_end(order.seconds)
        return made

    def _tell_end(self, seconds: float) -> None:
        self._process.kill()
        status = self._process.wait()
        if status == -signal.SIGALRM:
            raise CannotBeSet(f"the document takes more than {seconds:g} seconds to set as a PDF")
        log.warning("press.child_ended", status=status)
        if status == -signal.SIGABRT:
            raise CannotBeSet("the document takes more memory than it may to set as a PDF")
        raise _ChildEnded("the process that sets documents ended", hint="try again in a moment")

    def end(self) -> None:
        self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                try:
                    pipe.close()
                except OSError:
                    continue


def _setting(job: Job, ways: slice, seconds: float) -> _Order:
    files = [
        {
            "name": file.name,
            "mime_type": file.mime_type,
            "description": file.description,
            "relationship": file.relationship,
        }
        for file in job.attachments
    ]
    given = {"folder": job.folder, "data": job.data, "at": job.at.isoformat(), "attachments": files}
    what = {"task": "set", "job": given, "ways": [ways.start, ways.stop, ways.step]}
    return _Order(what, tuple(file.content for file in job.attachments), seconds)


def _end_all(children: list[_Child]) -> None:
    while children:
        children.pop().end()
