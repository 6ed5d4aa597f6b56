"""docs/operations.md keeps up with the code: settings, alerts, times."""

import re
from datetime import datetime

import pytest

from shared.events import topics
from shared.settings import Settings
from tests.cluster import guide
from tests.cluster.troubles import TROUBLES, Trouble
from tests.unit.deploy.manifests import DEPLOY, ROOT, documents

GUIDE = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
(RULE,) = documents(DEPLOY / "monitoring" / "prometheus-rule.yaml")
ALERTS = {rule["alert"]: rule for group in RULE["spec"]["groups"] for rule in group["rules"]}


@pytest.mark.parametrize("field", sorted(Settings.model_fields))
def test_every_setting_is_documented(field: str) -> None:
    assert f"\n| `JUSTERA_{field.upper()}` " in GUIDE


def test_no_setting_is_documented_that_is_not_there() -> None:
    known = {f"JUSTERA_{field.upper()}" for field in Settings.model_fields} | {"JUSTERA_SECRETS_DIR"}
    assert set(re.findall(r"^\| `(JUSTERA_\w+)` (?:● )?\|", GUIDE, re.MULTILINE)) == known


def test_the_install_names_every_topic() -> None:
    assert sorted(guide.topics()) == sorted(topics.ALL)


def test_the_install_is_tried_with_every_file_that_it_reads() -> None:
    """Where one lacks, `make cluster-guide` ends before anything is started."""
    *_, secrets, _ = guide.commands()
    assert set(re.findall(r"< ([a-z]+\.txt)", secrets)) == set(guide.TEXTS)


@pytest.mark.parametrize("alert", sorted(ALERTS))
def test_every_alert_leads_to_an_entry(alert: str) -> None:
    assert f"\n### {alert}\n" in GUIDE
    assert ALERTS[alert]["annotations"]["runbook_url"] == f"docs/operations.md#{alert.lower()}"


@pytest.mark.parametrize("alert", sorted(ALERTS))
def test_an_entry_says_what_how_to_look_and_what_to_do(alert: str) -> None:
    entry = GUIDE.partition(f"\n### {alert}\n")[2].partition("\n### ")[0].partition("\n## ")[0]
    assert [word for word in ("Symptom", "Cause", "Diagnosis", "Fix") if f"**{word}.**" not in entry] == []


@pytest.mark.parametrize("trouble", TROUBLES, ids=lambda one: one.name)
def test_what_a_cluster_says_when_something_lacks_is_in_the_table(trouble: Trouble) -> None:
    """That a cluster says so, `make cluster-guide` tries."""
    rows = re.findall(r"^\| .+ \|$", GUIDE, re.MULTILINE)
    assert any(all(word in row for word in trouble.words) for row in rows)


def test_times_in_commands_can_be_pasted() -> None:
    times = re.findall(r"--(?:since|until|to-datetime) (\S+?)[`\s]", GUIDE)
    assert len(times) >= 4
    assert [datetime.fromisoformat(text) for text in times]


def test_no_token_in_a_command_is_an_ellipsis() -> None:
    """It is no ASCII: pasted as it is, it would be refused as malformed, not as a stranger's."""
    assert "JUSTERA_TOKEN=…" not in GUIDE
