"""The process that works for `press.Press`, one order after the other: from standard input, to its output.

A service that has other work to keep apart starts a module of its own, which calls `serve` with its tasks.

An order is a line of JSON, then its files' bytes; an answer is a line of JSON, then what was made. When one takes
longer than its time, the kernel ends this process by SIGALRM, wherever it is in compiled code; memory has a limit, too.
"""

import json
import os
import resource
import signal
import sys
from base64 import b64encode
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import datetime
from typing import Any, BinaryIO

import typst  # noqa: F401  (loaded before the time of the first order runs)

from shared.logging import configure_logging
from shared.rendering.binding import bind, count_pages
from shared.rendering.bound import BoundFile, CannotBeBound
from shared.rendering.typesetting import Attachment, Job, is_refusal, picture, typeset

Task = Callable[[dict[str, Any], list[bytes]], bytes]


def serve(tasks: Mapping[str, Task]) -> None:
    """Until there are no more orders. `tasks`: by their names, each of an order and its files."""
    requests = sys.stdin.buffer
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what anything prints is no answer
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the parent, which waits for the document in hand
    configure_logging(level="ERROR")
    with suppress(ValueError, OSError):  # macOS takes no such limit
        resource.setrlimit(resource.RLIMIT_AS, (int(sys.argv[1]), int(sys.argv[1])))
    while line := requests.readline():
        _answer(tasks, json.loads(line), requests, answers)


def _answer(tasks: Mapping[str, Task], order: dict[str, Any], requests: BinaryIO, answers: BinaryIO) -> None:
    files = [requests.read(size) for size in order["sizes"]]
    signal.setitimer(signal.ITIMER_REAL, float(order["seconds"]))
    head: dict[str, int | str]
    made = b""
    try:
        made = tasks[order["task"]](order, files)
        head = {"size": len(made)}
    except CannotBeBound as error:
        head = {"trouble": error.trouble}
    except BaseException as error:
        if not is_refusal(error) and not isinstance(error, MemoryError):
            raise
        head = {"error": type(error).__name__}
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
    answers.write(json.dumps(head).encode() + b"\n")
    answers.write(made)
    answers.flush()


def _set(order: dict[str, Any], files: list[bytes]) -> bytes:
    return typeset(_job(order, files), ways=slice(*order["ways"]))


def _picture(order: dict[str, Any], files: list[bytes]) -> bytes:
    """As JSON, each page in Base64."""
    pages = picture(_job(order, files), first=order["first"], most=order["most"], ppi=order["ppi"])
    return json.dumps([b64encode(page).decode() for page in pages]).encode()


def _job(order: dict[str, Any], files: list[bytes]) -> Job:
    given = order["job"]
    described = zip(given["attachments"], files, strict=True)
    attachments = tuple(Attachment(content=content, **said) for said, content in described)
    return Job(given["folder"], given["data"], datetime.fromisoformat(given["at"]), attachments)


def _count(order: dict[str, Any], files: list[bytes]) -> bytes:
    return str(count_pages(files[0], order["media_type"])).encode()


def _bind(order: dict[str, Any], files: list[bytes]) -> bytes:
    return bind(files[0], [BoundFile(**said) for said in order["files"]], files[1:])


_TASKS: Mapping[str, Task] = {"set": _set, "picture": _picture, "count": _count, "bind": _bind}


if __name__ == "__main__":
    serve(_TASKS)
