"""deploy/monitoring stands on metrics that exist, and each alert fires when it should, by Prometheus' own judgement."""

import json
import re
import sys
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NoReturn

import pytest
import yaml
from fastapi.routing import iter_route_contexts
from prometheus_client.parser import text_string_to_metric_families

from services.embedded.contract import documented_service
from shared.events import declared_events, event_type
from shared.messaging.gate import EVENTS_LATE, EVENTS_REFUSED
from shared.names import SERVICES
from tests.support.promql import named_in
from tests.support.promtool import promtool
from tests.unit.deploy.manifests import DEPLOY, documents
from tests.unit.test_metrics import FakeService, scraped

MONITORING = DEPLOY / "monitoring"
(RULE,) = documents(MONITORING / "prometheus-rule.yaml")
ALERTS = {rule["alert"]: rule for group in RULE["spec"]["groups"] for rule in group["rules"]}
DASHBOARD = json.loads((MONITORING / "dashboard.json").read_text(encoding="utf-8"))
CASES: list[dict[str, Any]] = yaml.safe_load(Path(__file__).with_name("alerts.yaml").read_text(encoding="utf-8"))
# What Prometheus adds to each series of a pod.
_OF_A_PROCESS = ("process_resident_memory_bytes", "process_cpu_seconds_total", "process_open_fds")
OF_THE_TARGET = {"namespace", "pod", "container", "job", "instance", "endpoint"}


def of_the_dashboard() -> Iterator[tuple[str, str]]:
    for panel in DASHBOARD["panels"]:
        for target in panel.get("targets", ()):
            yield panel["title"], target["expr"].replace("$__rate_interval", "5m").replace("$namespace", "prod")
    for variable in DASHBOARD["templating"]["list"]:
        if variable["type"] == "query":
            metric, label = re.fullmatch(r"label_values\((\w+), (\w+)\)", variable["query"]["query"]).groups()  # type: ignore[union-attr]
            yield variable["name"], f"max by ({label}) ({metric})"


EXPRESSIONS = [*((name, rule["expr"]) for name, rule in ALERTS.items()), *of_the_dashboard()]


@pytest.fixture
async def exposed() -> dict[str, set[str]]:
    """The labels of each metric that a service tells."""
    for counter in (EVENTS_REFUSED, EVENTS_LATE):
        counter.labels("signing")
    ends = datetime(2027, 3, 1, tzinfo=UTC)

    async def journal_ends() -> datetime:
        return ends

    text = await scraped(FakeService(seal_ends=ends, journal_ends=journal_ends), times=2)
    found: dict[str, set[str]] = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            found.setdefault(sample.name, set()).update(sample.labels)
    if sys.platform != "linux":  # of /proc
        found.update({name: set() for name in _OF_A_PROCESS})
    return found


@pytest.mark.parametrize(("where", "expression"), EXPRESSIONS)
def test_what_is_watched_exists(where: str, expression: str, exposed: Mapping[str, set[str]]) -> None:
    named = named_in(expression)
    assert named.metrics
    assert named.metrics - exposed.keys() == set()
    own = {label for metric in named.metrics for label in exposed[metric]} | OF_THE_TARGET
    assert named.grouped - own == set()
    known = {"type": {event_type(event) for event in declared_events()}, "service": set(SERVICES)}
    for metric, label, operator, value in named.selected:
        assert label in exposed[metric] | OF_THE_TARGET
        assert operator != "=" or value in known.get(label, {value})


async def test_processes_and_namespaces_are_shown_while_the_database_is_away() -> None:
    async def away() -> NoReturn:
        raise OSError("the database is away")

    service = FakeService(letters=OSError("the database is away"))
    for reading in ("outbox_state", "pending", "given_up", "unread", "lag"):
        setattr(service, reading, away)
    families = text_string_to_metric_families(await scraped(service))
    told = {sample.name for family in families for sample in family.samples}
    watched = dict(of_the_dashboard())
    for where in ("Memory", "CPU", "Open files and connections", "namespace"):
        ours = {name for name in named_in(watched[where]).metrics if name.startswith("justera_")}
        assert ours
        assert ours - told == set(), where


@pytest.mark.parametrize("alert", sorted(ALERTS))
def test_no_alert_stands_on_what_is_counted_again(alert: str) -> None:
    assert "justera_events_published_total" not in named_in(ALERTS[alert]["expr"]).metrics


@pytest.mark.parametrize("name", SERVICES)
def test_a_routes_template_is_the_whole_of_it(name: str) -> None:
    """FastAPI tells a request its route without what an including router puts before it."""
    for one in iter_route_contexts(documented_service(name).app.routes):
        route = getattr(one, "original_route", one)
        assert getattr(route, "path", one.path) == one.path


def test_a_runbook_leads_to_each_entry_that_the_dashboard_names() -> None:
    told = set(re.findall(r"Justera[A-Z]\w+", json.dumps(DASHBOARD)))
    assert told
    assert told - ALERTS.keys() == set()


def test_promtool_reads_the_rules_and_the_dashboards_expressions(tmp_path: Path) -> None:
    recorded = [{"record": f"panel:{n}", "expr": expr} for n, (_, expr) in enumerate(of_the_dashboard())]
    rules = {"groups": [*RULE["spec"]["groups"], {"name": "dashboard", "rules": recorded}]}
    finished = promtool("check", "rules", _written(tmp_path / "rules.yaml", rules))
    assert finished.returncode == 0, finished.stdout + finished.stderr


def test_each_alert_is_tried() -> None:
    assert {case["alert"] for case in CASES} == ALERTS.keys()


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.get("name", case["alert"]))
def test_an_alert_fires_when_it_should_and_not_before(case: dict[str, Any], tmp_path: Path) -> None:
    name = case["alert"]
    rule = ALERTS[name]
    _written(tmp_path / "rules.yaml", RULE["spec"])
    fired = {
        "exp_labels": {**rule["labels"], **case.get("labels", {})},
        "exp_annotations": {"summary": case.get("summary"), "runbook_url": rule["annotations"]["runbook_url"]},
    }
    tried = {
        "interval": "1m",
        "input_series": [{"series": series, "values": values} for series, values in case["series"].items()],
        "alert_rule_test": [
            *({"alertname": name, "eval_time": time, "exp_alerts": []} for time in case["quiet"]),
            *({"alertname": name, "eval_time": time, "exp_alerts": [fired]} for time in case["fires"]),
        ],
    }
    whole = {"rule_files": ["rules.yaml"], "evaluation_interval": "1m", "tests": [tried]}
    finished = promtool("test", "rules", _written(tmp_path / "tests.yaml", whole))
    assert finished.returncode == 0, finished.stdout + finished.stderr


def _written(path: Path, content: object) -> Path:
    path.write_text(yaml.safe_dump(content, allow_unicode=True), encoding="utf-8")
    return path
