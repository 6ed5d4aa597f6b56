"""The process above several services: it passes on what it is told, and tells how they ended.

It takes the place of the process that they were forked from, which had loaded the code of all of them, and would hold
what they have changed of it since: `python -m services.embedded.overseer meetings=PID signing=PID …`. So it imports
next to nothing.
"""

import os
import signal
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from types import FrameType

SIGNALS = (signal.SIGINT, signal.SIGTERM)


def oversee(services: Mapping[int, str]) -> str:
    """Until all these children have ended: which one ended by itself, and how; empty where they were told to.

    SIGTERM and SIGINT, blocked until now, drain all; so does the end of one.
    """
    running, asked, unasked = dict(services), False, ""

    def drain(number: int = 0, frame: FrameType | None = None) -> None:
        nonlocal asked
        asked = True
        for pid in running:
            with suppress(ProcessLookupError):  # it has ended, and we are about to hear of it
                os.kill(pid, signal.SIGTERM)

    for one in SIGNALS:
        signal.signal(one, drain)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, SIGNALS)
    while running:
        pid, status = os.wait()
        name = running.pop(pid, "")
        if name and not asked:
            unasked = f"{name} ended by itself ({_how(os.waitstatus_to_exitcode(status))})"
            drain()
    return unasked


def _how(status: int) -> str:
    return f"status {status}" if status >= 0 else f"signal {-status}"


def main(arguments: Sequence[str]) -> int:
    """`NAME=PID …`. The exit status."""
    services = {int(pid): name for name, _, pid in (one.partition("=") for one in arguments)}
    unasked = oversee(services)
    if unasked:
        print(f"error: {unasked}, and the others were stopped (see what it said before)", file=sys.stderr)
    return 1 if unasked else 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
