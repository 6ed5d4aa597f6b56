"""`justera doctor`: what it finds, and that it fits a terminal of eighty columns as well as a pipe."""

import json
import os
import pty
import re
import subprocess
import sys
import termios
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import pytest

from tests.support.cluster import MAIN
from tests.unit.cli.conftest import Justera

WELL = {"schema_current": True, "unpublished": 0, "oldest_unpublished": 0.0, "lag": {}, "dead_letters": 0, "pending": 0}
COLUMNS = 80
DAY = timedelta(days=1)


def seal(left: timedelta, *, test: bool = False) -> dict[str, Any]:
    return {"holder": "Norrdalen", "sha256": "00" * 32, "ends": (datetime.now(UTC) + left).isoformat(), "test": test}


def answers(**changed: Any) -> dict[str, Any]:
    """By path, what a system says of itself that is well but for what is `changed`."""
    states = {f"/{name}/operations/state": {"service": name, **WELL} for name in ("meetings", "signing")}
    states |= {f"/{name}/operations/state": {"service": name, **WELL} for name in ("notifications", "archive")}
    said = {
        **states,
        "/archive/protocols": {"protocols": []},
        "/archive/seal": seal(700 * DAY + DAY / 2),
        "/signing/agreements": {"agreements": [], "next": None},
        "/meetings/late-notices": {"meetings": []},
    }
    return said | changed


@contextmanager
def system(said: dict[str, Any]) -> Iterator[str]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("content-type", "application/json")
            self.end_headers()
            self.wfile.write(json.dumps(said[self.path.partition("?")[0]]).encode())

        def log_message(self, format: str, *arguments: object) -> None:
            """Not among the test's output."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()


def examined(justera: Justera, monkeypatch: pytest.MonkeyPatch, **changed: Any) -> tuple[int, list[str]]:
    """Its exit status, and the lines that follow the table."""
    monkeypatch.setenv("JUSTERA_TOKEN", "x")
    with system(answers(**changed)) as url:
        monkeypatch.setenv("JUSTERA_URL", url)
        outcome = justera("doctor")
    assert outcome.err == ""
    return outcome.status, outcome.out.splitlines()[5:]


def in_a_terminal(url: str) -> str:
    """What a terminal of eighty columns gets."""
    ours, theirs = pty.openpty()
    termios.tcsetwinsize(theirs, (24, COLUMNS))
    kept = {name: value for name, value in os.environ.items() if not name.startswith("JUSTERA_")}
    environment = {**kept, "JUSTERA_URL": url, "JUSTERA_TOKEN": "x", "TERM": "xterm", "NO_COLOR": "1"}
    environment.pop("COLUMNS", None)
    command = [sys.executable, "-c", MAIN, "doctor"]
    with subprocess.Popen(command, stdin=theirs, stdout=theirs, stderr=theirs, env=environment) as process:
        os.close(theirs)
        told = b""
        with suppress(OSError):  # a terminal whose other side has gone
            while read := os.read(ours, 65_536):
                told += read
    os.close(ours)
    assert process.returncode == 0, told
    return re.sub(r"\x1b\[\d*m", "", told.decode())


def test_the_seal_s_end_is_told(justera: Justera, monkeypatch: pytest.MonkeyPatch) -> None:
    ends = seal(700 * DAY + DAY / 2, test=True)
    said = {"/archive/seal": ends}
    status, told = examined(justera, monkeypatch, **said)
    assert (status, told) == (0, [f"archive: the seal's test certificate ends on {ends['ends'][:10]}, in 700 days"])


@pytest.mark.parametrize(("left", "word"), [(29 * DAY, "ends"), (DAY / 24, "ends"), (-DAY / 24, "ended")])
def test_a_seal_that_ends_soon_or_has_ended_needs_a_person(
    left: timedelta, word: str, justera: Justera, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = {"/archive/seal": seal(left)}
    status, told = examined(justera, monkeypatch, **said)
    date = said["/archive/seal"]["ends"][:10]
    assert (status, told) == (1, [f"archive: the seal's certificate {word} on {date}: renew it"])


def test_agreements_that_wait_on_a_bounce_are_counted_and_are_their_senders_affair(
    justera: Justera, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = {"/signing/agreements": {"agreements": [{}, {}], "next": None}}
    status, told = examined(justera, monkeypatch, **said)
    assert status == 0
    assert told[0].startswith("signing: agreements that wait since a mail came back: 2.")


def test_a_terminal_of_eighty_columns_shows_everything(monkeypatch: pytest.MonkeyPatch) -> None:
    said = {
        "/signing/agreements": {"agreements": [{}], "next": None},
        "/archive/operations/state": {"service": "archive", **WELL, "lag": {"archive": 99}, "oldest_unpublished": 29.9},
        "/meetings/operations/state": {"service": "meetings", **WELL, "unpublished": 12_345, "pending": 9_999},
    }
    with system(answers(**said)) as url:
        told = in_a_terminal(url)
    assert max(map(len, told.splitlines())) <= COLUMNS, told
    assert "…" not in told
    for value in ("service", "unpublished", "letters", "notifications", "12345", "9999", "29.9", "--status bounced"):
        assert value in told


def test_a_pipe_gets_a_line_a_service_with_tabs_between(justera: Justera, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JUSTERA_TOKEN", "x")
    with system(answers()) as url:
        monkeypatch.setenv("JUSTERA_URL", url)
        lines = justera("doctor").out.splitlines()
    headings = ["service", "state", "schema", "lag", "unpublished", "oldest (s)", "dead letters", "in hand"]
    assert lines[0].split("\t") == headings
    assert lines[1].split("\t") == ["meetings", "well", "current", "0", "0", "0.0", "0", "0"]
    assert [line.count("\t") for line in lines] == [7] * 5 + [0]


def test_what_a_stranger_answers_upsets_no_terminal(justera: Justera, monkeypatch: pytest.MonkeyPatch) -> None:
    forged = {"service": "signing", **WELL, "schema_current": False, "dead_letters": 1}
    said = {"/signing/operations/state": {**forged, "dead_letters": "\x1b[2J"}}
    _, told = examined(justera, monkeypatch, **said)
    assert all(line.isprintable() for line in told)


def test_late_notices_are_told_and_are_no_trouble(justera: Justera, monkeypatch: pytest.MonkeyPatch) -> None:
    late = {"meetings": [{"meeting_id": "m"}, {"meeting_id": "n"}]}
    status, told = examined(justera, monkeypatch, **{"/meetings/late-notices": late})
    assert status == 0
    assert "nobody has approved: 2." in " ".join(told)
