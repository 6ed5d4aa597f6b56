"""A service in a process of its own says in its log what ended it."""

import socket

import pytest
from structlog.testing import capture_logs

from services.embedded import single
from shared.settings import BadConfiguration, load_settings


@pytest.mark.parametrize(("error", "told"), [(KeyError("a bug"), True), (BadConfiguration("no such key"), False)])
async def test_a_bug_that_ends_a_service_stands_in_the_log(
    error: Exception, *, told: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    def build(*_: object) -> None:
        raise error

    monkeypatch.setattr(single, "build_service", build)
    with capture_logs() as written, socket.socket() as listener, pytest.raises(type(error)):
        await single.run_service("signing", load_settings(), listener)
    assert ("service.crashed" in [line["event"] for line in written]) == told
