"""The process that sets documents for `press.Press`, one after the other: jobs from standard input, PDFs to its output.

A job is a line of JSON, then its attachments' bytes; an answer is a line of JSON, then the PDF's. When a job takes
longer than its time, the kernel ends this process by SIGALRM, wherever it is in compiled code; memory has a limit, too.
"""

import json
import os
import resource
import signal
import sys
from contextlib import suppress
from datetime import datetime
from typing import BinaryIO

from shared.logging import configure_logging
from shared.rendering.typesetting import Attachment, Job, is_refusal, typeset


def main() -> None:
    requests = sys.stdin.buffer
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what anything prints is no answer
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the parent, which waits for the document in hand
    configure_logging(level="ERROR")
    with suppress(ValueError, OSError):  # macOS takes no such limit
        resource.setrlimit(resource.RLIMIT_AS, (int(sys.argv[1]), int(sys.argv[1])))
    while line := requests.readline():
        _answer(json.loads(line), requests, answers)


def _answer(order: dict[str, object], requests: BinaryIO, answers: BinaryIO) -> None:
    job, ways = _read(order, requests)
    signal.setitimer(signal.ITIMER_REAL, float(str(order["seconds"])))
    head: dict[str, int | str]
    try:
        pdf = typeset(job, ways=ways)
        head = {"size": len(pdf)}
    except BaseException as error:
        if not is_refusal(error) and not isinstance(error, MemoryError):
            raise
        pdf, head = b"", {"error": type(error).__name__}
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
    answers.write(json.dumps(head).encode() + b"\n" + pdf)
    answers.flush()


def _read(order: dict[str, object], requests: BinaryIO) -> tuple[Job, slice]:
    given: dict = order["job"]  # type: ignore[type-arg,assignment]
    files = tuple(Attachment(content=requests.read(file.pop("size")), **file) for file in given.pop("attachments"))
    job = Job(given["folder"], given["data"], datetime.fromisoformat(given["at"]), files)
    return job, slice(*order["ways"])  # type: ignore[misc]


if __name__ == "__main__":
    main()
