"""Several services on one machine, each in a process of its own, forked from one that has loaded the code of all.

Libraries are most of what a service holds in memory before its first event. Loaded once, they are every process's
until it writes to them (copy-on-write): docs/performance.md, (g). Before the fork nothing may run that a fork would
tear apart: no event loop, no thread, no connection.

They are one system to whoever started it: SIGTERM and SIGINT (Ctrl-C) drain all, and where one ends by itself the
others are drained too, so that what watches us (systemd, say) starts everything again. A service that is to be started
again by itself has a `justera run SERVICE` of its own, as in a container.
"""

import importlib
import os
import signal
import sys
import threading
from collections.abc import Callable, Mapping
from typing import NoReturn

from services.embedded import overseer
from services.embedded.children import die_with_parent
from shared.collector import keep_code_from_the_collector
from shared.logging import get_logger

log = get_logger(__name__)


def load(names: tuple[str, ...]) -> None:
    """The code of these services, and what serves them. The collector leaves it alone from here on: a page that it
    marks would be each process's own."""
    for module in ("services.embedded.single", *(f"services.{name}.main" for name in names)):
        importlib.import_module(module)
    keep_code_from_the_collector()


def run_forked(tasks: Mapping[str, Callable[[], None]]) -> NoReturn:
    """Each task in a process of its own; this one goes on as their overseer, with their end as its own.

    A task says itself why it fails, and leaves by SystemExit. Raises RuntimeError where other threads run.
    """
    if threading.active_count() > 1:
        raise RuntimeError(f"a fork would lose {threading.active_count() - 1} threads")
    # Signals wait until somebody hears them: now, each would reach those alone that are there already.
    signal.pthread_sigmask(signal.SIG_BLOCK, overseer.SIGNALS)
    parent, named = os.getpid(), []
    for name, task in tasks.items():
        pid = os.fork()
        if pid == 0:
            _become(task, parent)
        named.append(f"{name}={pid}")
    # -P: whatever lies in the folder that we were started in is none of ours.
    os.execv(sys.executable, [sys.executable, "-P", "-m", overseer.__name__, *named])  # noqa: S606  our own


def _become(task: Callable[[], None], parent: int) -> NoReturn:
    """The process of one task: nothing of what called us goes on in it."""
    status = 1
    try:
        os.setsid()  # Ctrl-C reaches our parent alone, which asks us to stop
        die_with_parent(parent, signal.SIGTERM)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, overseer.SIGNALS)
        task()
        status = 0
    except SystemExit as end:
        status = end.code if isinstance(end.code, int) else 1
    except BaseException as error:
        log.critical("service.crashed", exc_info=error)
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)
