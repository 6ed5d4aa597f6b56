"""How the command ends when something is wrong: one line on stderr, and an exit status. No traceback reaches a user.

0: done. 1: it said no. 3 and 4: what `verify` found unproven. Typer's own: 2 for a wrong command line, 130 when
interrupted.
"""

import sys
import tempfile
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from shared.errors import JusteraError
from shared.plain_text import printable


@contextmanager
def one_line_errors() -> Iterator[None]:
    """Turn whatever leaves into one line and an exit status."""
    try:
        yield
    except JusteraError as error:
        _end(_line(error), 1)
    except Exception as error:
        _end(f"error: {type(error).__name__}: this is a bug of ours; please report {_save_details()}", 1)


def _line(error: JusteraError) -> str:
    text = f"error: {error.message}"
    return f"{text} ({error.hint})" if error.hint else text


def _end(line: str, status: int) -> None:
    # One write: print writes the line's end by itself, and of services that `justera run` started together another's
    # error would come before it.
    sys.stderr.write(f"{printable(' '.join(line.split()))}\n")
    raise SystemExit(status)


def _save_details() -> Path:
    with tempfile.NamedTemporaryFile("w", prefix="justera-error-", suffix=".txt", delete=False) as file:
        file.write(traceback.format_exc())
    return Path(file.name)
