"""While pods roll, two versions read the same rows: what one of them does not know is only in rows that need it."""

from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest

from services.meetings.body import store
from services.meetings.body.body import BodyDetails, BodyKind, BodyRules, StandingItem
from services.meetings.body.body import register as registered
from services.meetings.sitting.sitting import Sitting
from services.meetings.sitting.store import SittingStore
from services.meetings.sitting.tables import SITTING
from tests.unit.meetings.test_sitting import Record

# Of the version that knew neither deadlines of a body's own nor a public archive.
KNOWN_BEFORE = {
    *("quorum", "notice_days", "substitutes", "numbering", "annexes", "signers", "deadline_profile"),
    *("standing_items", "language", "timezone", "join_link", "public"),
}


def row(rules: BodyRules) -> dict[str, Any]:
    return store._body_row(
        "default", registered("b1", "board", BodyDetails(name="B", kind=BodyKind.BOARD, rules=rules))[0]
    )


def test_a_body_that_uses_no_new_rule_is_read_by_the_version_before() -> None:
    assert set(row(BodyRules(public=True, quorum=3))["rules"]) <= KNOWN_BEFORE


@pytest.mark.parametrize(
    "rules",
    [
        BodyRules(),
        BodyRules(quorum=3, notice_days=0, adjust_days=10, post_days=0, posted_days=21, public=True),
        BodyRules(public_archive=True, standing_items=(StandingItem(title="Val av justerare"),)),
    ],
)
def test_what_is_left_out_is_what_is_not_said(rules: BodyRules) -> None:
    assert store._body(SimpleNamespace(**row(rules))).details.rules == rules


def test_what_the_version_after_says_of_a_body_is_left_alone() -> None:
    rules = BodyRules(standing_items=(StandingItem(title="Val av justerare"),))
    after = row(rules)
    after["rules"] |= {
        "of_later": 1,
        "standing_items": [{"title": "Val av justerare", "kind": "information", "more": 1}],
    }
    assert store._body(SimpleNamespace(**after)).details.rules == rules


async def test_a_sitting_is_kept_without_what_has_not_happened() -> None:
    written = {}

    async def execute(query: Any, rows: Any) -> None:
        written[query.table.name] = rows

    record = Record()
    saving = SittingStore(SimpleNamespace(execute=execute))  # type: ignore[arg-type]
    now = datetime(2022, 9, 23, 13, tzinfo=UTC)
    await saving.save_sitting("default", "m", record.now, record.entries, by="maja", at=now)
    state = written[SITTING.name]["state"]
    assert not {"closed_at", "speakers"} & set(state)
    assert Sitting.model_validate(state) == record.now
