"""The way to a meeting that is to come: one step comes now, as soon as the one before it is done."""

from datetime import UTC, date, datetime
from typing import Any, cast

import pytest

from services.meetings.meeting.meeting import WhichBody
from services.meetings.notice.commands import NoticeView
from services.meetings.notice.notice import Change, Notice, Stage
from services.meetings.pages.agendas import by_body
from services.meetings.pages.meeting_path import STEPS, path_before
from services.meetings.reply.quorum import Outlook
from tests.unit.meetings.test_member import meeting

NOW = datetime(2022, 9, 26, 8, tzinfo=UTC)
ISSUED = Notice(stage=Stage.ISSUED, sequence=1, issued_at=NOW)


def view_of(notice: Notice, *changes: Change, late: bool = False) -> NoticeView:
    unread = cast(Any, None)
    return NoticeView(
        meeting=meeting("2022-11-25"),
        notice=notice,
        draft=unread,
        changes=changes,
        latest=date(2022, 11, 18),
        late=late,
        outlook=cast(Outlook, unread),
    )


@pytest.mark.parametrize(
    ("view", "has_items", "now"),
    [
        (view_of(Notice()), False, "agenda"),
        (view_of(Notice()), True, "notice"),
        (view_of(Notice(), late=True), False, "notice"),
        (view_of(Notice(stage=Stage.PRELIMINARY, sequence=1)), True, "notice"),
        (view_of(Notice(approved_at=NOW)), True, "sitting"),
        (view_of(ISSUED), True, "sitting"),
        (view_of(ISSUED), False, "sitting"),
        (view_of(ISSUED, Change.TIME), True, "notice"),
    ],
)
def test_one_step_comes_now_and_those_before_it_are_done(view: NoticeView, has_items: bool, now: str) -> None:
    way = path_before(view, has_items=has_items)
    assert [step.name for step in way] == list(STEPS)
    assert [step.name for step in way if step.state == "now"] == [now]
    assert [step.name for step in way if step.state == "done"] == list(STEPS[: STEPS.index(now)])


def test_meetings_that_could_take_an_item_stand_by_body_its_own_first() -> None:
    found = [
        meeting("2022-12-02", "Arbetsutskottet", body_id="b2"),
        meeting("2022-11-25"),
        meeting("2022-10-28", "Arbetsutskottet", body_id="b2"),
        meeting("2022-10-21"),
        meeting("2022-11-01", "Nätverket", body_id=None),
    ]
    assert [
        (name, own, [one.id for one in there]) for name, own, there in by_body(found, WhichBody("b1", "Styrelsen"))
    ] == [
        ("Styrelsen", True, ["2022-10-21", "2022-11-25"]),
        ("Arbetsutskottet", False, ["2022-10-28", "2022-12-02"]),
        ("Nätverket", False, ["2022-11-01"]),
    ]
