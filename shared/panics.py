"""What a loop must survive beside exceptions: a panic of compiled code (pydantic, cryptography, typst) is none of them.

`except Exception` lets it through, and a loop that must never end ends. Where one guards such a loop, it catches
BaseException and passes on what `ends` says.
"""

import asyncio


def ends(error: BaseException) -> bool:
    """Whether `error` is no failure but an end: a cancellation, an interrupt, the process's exit."""
    return isinstance(error, asyncio.CancelledError | KeyboardInterrupt | SystemExit | GeneratorExit)


def is_cancelled() -> bool:
    """Whether the running task is being cancelled. A future that a library cancelled raises CancelledError, too."""
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0
