"""How the command says what was wrong."""

import io
import sys

import pytest

from services.cli.errors import one_line_errors
from shared.errors import NotFound


class Terminal(io.StringIO):
    """That other processes write to, too."""

    def __init__(self) -> None:
        super().__init__()
        self.writes: list[str] = []

    def write(self, text: str) -> int:
        self.writes.append(text)
        return len(text)


def test_an_error_and_its_lines_end_are_one_write(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    with pytest.raises(SystemExit) as ended, one_line_errors():
        raise NotFound("there is no such\nmeeting", hint="look at the list")
    assert terminal.writes == ["error: there is no such meeting (look at the list)\n"]
    assert ended.value.code == 1
