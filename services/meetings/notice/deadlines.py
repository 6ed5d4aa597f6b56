"""What happens to notices by itself: an approved one goes out on its day, and near the meeting silence counts."""

from collections.abc import Awaitable, Callable, Mapping

from services.meetings.notice import notice as rules
from services.meetings.notice import telling
from services.meetings.notice.scene import scene_of
from services.meetings.transaction import MeetingsTransaction
from shared.clock import Clock
from shared.errors import JusteraError
from shared.logging import get_logger
from shared.timers import Timer

log = get_logger(__name__)


class NoticeDeadlines:
    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    def handlers(self) -> Mapping[str, Callable[[MeetingsTransaction, Timer], Awaitable[None]]]:
        return {telling.DUE: self._issue, telling.QUORUM_NEAR: self._look_at_quorum}

    async def _issue(self, transaction: MeetingsTransaction, timer: Timer) -> None:
        """A changed meeting may have another day by now. What cannot go out is no longer approved: the page says so."""
        organisation, now = timer.organisation, self._clock.now()
        meeting = await transaction.lock_meeting(organisation, timer.subject)
        scene = await scene_of(transaction, organisation, meeting)
        if scene is None or not scene.notice.waits:
            return
        if rules.due_moment(meeting, scene.days) > now:
            await telling.set_notice_timers(transaction, scene, now)
            return
        try:
            rules.issue(scene.notice, scene.draft(), scene.notice.note, now)
        except JusteraError as error:
            given_up = scene.notice.model_copy(update={"approved_at": None})
            await transaction.save_notice(organisation, meeting.id, given_up)
            log.warning("notice.not_issued", meeting_id=meeting.id, error=type(error).__name__)
            return
        await telling.issue(transaction, organisation, meeting, scene.notice.note, now)
        log.info("notice.issued", meeting_id=meeting.id)

    async def _look_at_quorum(self, transaction: MeetingsTransaction, timer: Timer) -> None:
        organisation, now = timer.organisation, self._clock.now()
        meeting = await transaction.lock_meeting(organisation, timer.subject)
        notice = await transaction.notice(organisation, meeting.id)
        if notice.stage is not rules.Stage.ISSUED or meeting.is_over(now):
            return
        if telling.near_moment(meeting, notice) > now:
            if (scene := await scene_of(transaction, organisation, meeting)) is not None:
                await telling.set_notice_timers(transaction, scene, now)
            return
        await telling.settle_answers(transaction, organisation, meeting, now)
