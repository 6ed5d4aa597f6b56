"""Values of options and settings that are none: refused before anything is done."""

from pathlib import Path

import pytest

from services.cli.output import require_folder
from shared.errors import InvalidInput
from tests.unit.cli.conftest import Answer, Justera, answering, one_line

NO_TIMES = ("yesterday", "T-30d", "2026-13-01", "0001-01-01T00:00+14:00", "")


@pytest.mark.parametrize("text", NO_TIMES)
@pytest.mark.parametrize("command", [("events", "--since"), ("events", "--until"), ("republish", "--since")])
def test_what_is_no_time_is_a_wrong_command_line(command: tuple[str, str], text: str, justera: Justera) -> None:
    outcome = justera(*command, text)
    assert (outcome.status, outcome.out) == (2, "")
    assert command[1] in outcome.err
    assert "is no time" in outcome.err


@pytest.mark.parametrize(
    ("text", "sent"),
    [
        ("2026-09-01", "2026-09-01T00%3A00%3A00%2B00%3A00"),
        ("2026-09-01T08:00Z", "2026-09-01T08%3A00%3A00%2B00%3A00"),
        ("2026-09-01T08:00+02:00", "2026-09-01T06%3A00%3A00%2B00%3A00"),
    ],
)
def test_a_time_is_sent_in_utc(text: str, sent: str, justera: Justera, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JUSTERA_TOKEN", "x")
    nothing = Answer(body='{"events": [], "next": "0"}')
    with answering(nothing) as url:
        monkeypatch.setenv("JUSTERA_URL", url)
        assert justera("events", "--since", text).status == 0
    assert nothing.asked == [f"GET /archive/events?limit=500&since={sent}"]


@pytest.mark.parametrize(
    ("setting", "value"),
    [("JUSTERA_LOG_LEVEL", "loud"), ("JUSTERA_PUBLIC_URL", "foo"), ("JUSTERA_SECRETS_DIR", "file")],
)
@pytest.mark.parametrize("command", [("up",), ("run", "signing"), ("migrate",)])
def test_a_setting_that_is_wrong_is_named_and_nothing_starts(
    command: tuple[str, ...],
    setting: str,
    value: str,
    justera: Justera,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv(setting, value)
    assert one_line(justera(*command)).startswith(f"error: {setting}: ")
    assert not (tmp_path / "justera-data").exists()


@pytest.mark.skipif(not Path("/proc").is_dir(), reason="needs /proc")
@pytest.mark.parametrize("command", [("replay", "scenario.yaml"), ("demo",)])
def test_a_folder_for_results_that_cannot_be_made(command: tuple[str, ...], justera: Justera) -> None:
    line = one_line(justera(*command, "--out", "/proc/x"))
    assert "/proc/x cannot be a folder for the results" in line
    assert "--out" in line


@pytest.mark.parametrize("out", ["file", "file/below", "n" * 300])
def test_a_folder_for_results_that_is_none(out: str, justera: Justera, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    assert f"{out} cannot be a folder for the results" in one_line(justera("replay", "scenario.yaml", "--out", out))


def test_trying_a_folder_for_results_leaves_nothing(tmp_path: Path) -> None:
    require_folder(tmp_path / "a" / "b")
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "kept").mkdir()
    require_folder(tmp_path / "kept")
    require_folder(tmp_path / "kept" / "below")
    assert list((tmp_path / "kept").iterdir()) == []


def test_a_failed_try_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput):
        require_folder(tmp_path / "a" / ("n" * 300))
    assert list(tmp_path.iterdir()) == []
