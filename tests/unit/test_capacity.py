"""docs/capacity.md says what was measured, and the sums over it are right."""

import json
from pathlib import Path

import pytest

from tests.benchmarks.capacity import _arguments, main
from tests.benchmarks.sweden import Assumed, Cost, Load, loads, need, tables

DOCS = Path(__file__).parents[2] / "docs"
RECORD = json.loads((DOCS / "capacity.json").read_text())
COST = Cost(
    cpu={
        "meetings": 400.0,
        "signing": 100.0,
        "notifications": 200.0,
        "archive": 200.0,
        "kafka": 100.0,
        "postgres": 50.0,
    },
    database={"meetings": 1_000, "signing": 2_000, "notifications": 3_000, "archive": 4_000},
    passing=3_650,
    blobs=5_000,
    events=24.0,
)


def test_the_pages_tables_are_those_of_the_recorded_measurements() -> None:
    page = (DOCS / "capacity.md").read_text()
    for table in tables(RECORD).split("\n\n"):
        assert table in page, "print them by `python -m tests.benchmarks.capacity --for-sweden`"


def test_the_command_that_the_page_names_prints_them(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.argv", ["capacity", "--for-sweden"])
    main()
    assert capsys.readouterr().out == tables(RECORD) + "\n"


@pytest.mark.parametrize("part", ["meetings", "agreements", "journal", "months", "search"])
def test_each_measurement_names_its_command_its_day_and_its_machine(part: str) -> None:
    page = (DOCS / "capacity.md").read_text()
    for name in ("taken", "command", "machine"):
        assert RECORD[part][name] in page


def test_without_a_part_all_are_measured() -> None:
    assert _arguments([]).parts == ["meetings", "agreements", "journal", "months", "search"]
    assert _arguments(["search", "--decisions", "10"]).parts == ["search"]


def test_a_load_needs_its_busiest_hours_cores_and_its_years_bytes() -> None:
    load = Load("a meeting a second in the busiest hour", 3_600_000, 1 / 1_000)
    found = need(load, COST, Assumed(fill=0.5))
    assert load.a_second == 1
    assert found.cores["meetings"] == pytest.approx(0.8)  # 400 ms a second, on a core that is half used
    assert set(found.pods.values()) == {2}
    assert found.database == {service: 3_600_000 * each for service, each in COST.database.items()}
    assert found.events_a_month == 3_600_000 * 24 / 12
    assert found.euros["disk"] == pytest.approx(3.6e6 * (6_350 + 600) / 1e9 * 3 * 0.12)


def test_ten_years_cost_more_disk_and_no_more_cores() -> None:
    for load in loads(Assumed()):
        one, ten = need(load, COST, Assumed()), need(load, COST, Assumed(), years=10)
        assert ten.euros["objects"] == pytest.approx(10 * one.euros["objects"])
        assert 9 * one.euros["disk"] < ten.euros["disk"] < 10 * one.euros["disk"]  # outboxes and inboxes forget
        assert ten.euros["cores"] == one.euros["cores"]
