"""The way to a meeting that is to come, for one line on its page: what is done, and what comes now. Pure."""

from services.meetings.notice.commands import NoticeView
from services.meetings.notice.notice import Stage
from services.meetings.pages.minutes_path import Step

STEPS = ("agenda", "notice", "sitting")
_PAGES = {"agenda": "office_agenda", "notice": "office_notice", "sitting": "office_sitting"}


def path_before(view: NoticeView, *, has_items: bool) -> list[Step]:
    """`view`: how its notice stands; `has_items`: whether somebody wrote on its agenda.

    A notice that is out, or goes out by itself, is done unless people were told what is otherwise by now; one that is
    late waits for no agenda.
    """
    notice = view.notice
    is_done = (notice.stage is Stage.ISSUED or notice.approved_at is not None) and not view.changes
    is_sent = notice.stage is Stage.ISSUED
    reached = 2 if is_done else 1 if has_items or is_sent or view.late else 0
    return [
        Step(name, "done" if place < reached else "now" if place == reached else "later", _PAGES[name])
        for place, name in enumerate(STEPS)
    ]
