"""The command as its entry point runs it, in a folder and an environment of its own; and what may answer it."""

import base64
import logging
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

from services.cli.main import main
from shared.messaging.signatures import new_event_keys
from tests.support.cluster import Outcome

Justera = Callable[..., Outcome]


@dataclass
class Answer:
    """What a server says to every request. `asked`: the lines of those that came; `sent`: what was posted.

    `first`: what it says to the first ones, instead of `body`.
    """

    status: int = 200
    content_type: str = "application/json"
    body: str = ""
    first: list[str] = field(default_factory=list)
    location: str | None = None
    asked: list[str] = field(default_factory=list)
    sent: list[str] = field(default_factory=list)


@contextmanager
def answering(answer: Answer) -> Iterator[str]:
    """A server's address."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            answer.asked.append(f"{self.command} {self.path}")
            self.send_response(answer.status)
            self.send_header("content-type", answer.content_type)
            if answer.location:
                self.send_header("location", answer.location)
            self.end_headers()
            self.wfile.write((answer.first.pop(0) if answer.first else answer.body).encode())

        def do_POST(self) -> None:
            answer.sent.append(self.rfile.read(int(self.headers.get("content-length", 0))).decode())
            self.do_GET()

        do_PUT = do_POST

        def log_message(self, format: str, *arguments: object) -> None:
            """Not among the test's output."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()


@pytest.fixture
def justera(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Justera:
    """`justera(*arguments)`, with no setting but those that the test makes."""
    for name in [name for name in os.environ if name.startswith("JUSTERA_")]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    root = logging.getLogger()
    monkeypatch.setattr(root, "handlers", list(root.handlers))  # a command's own end with it
    monkeypatch.setattr("services.cli.main.leave_loading_alone", lambda: None)  # in a process of its own

    def run(*arguments: str) -> Outcome:
        monkeypatch.setattr(sys, "argv", ["justera", *arguments])
        try:
            main()
            status: object = 0
        except SystemExit as end:
            status = end.code
        assert isinstance(status, int)
        said = capsys.readouterr()
        return Outcome(status, said.out, said.err)

    return run


def one_line(outcome: Outcome) -> str:
    """The error of a command that was refused: one line, nothing printed, no bug of ours."""
    assert (outcome.status, outcome.out) == (1, ""), outcome
    (line,) = outcome.err.splitlines()
    assert "bug of ours" not in line
    return line


@pytest.fixture
def complete_settings(justera: Justera, monkeypatch: pytest.MonkeyPatch) -> None:
    """What `justera run` wants beside its database."""
    key = base64.b64encode(bytes(32)).decode()
    monkeypatch.setenv("JUSTERA_SESSION_KEY", key)
    for ring in ("LINK_KEYS", "COPY_LINK_KEYS", "MEMBER_LINK_KEYS", "BOUNCE_KEYS"):
        monkeypatch.setenv(f"JUSTERA_{ring}", f"k1:{key}")
    monkeypatch.setenv("JUSTERA_EVENT_KEYS", new_event_keys())
