"""What people are told of a meeting, in the transaction of whoever tells it; it holds the meeting's row.

Whoever changes or cancels meetings calls `follow`, `tell_update` and `withdraw_notice`; whoever records an answer,
`settle_answers`.
"""

from collections.abc import Callable, Collection, Iterable, Mapping
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from services.meetings.body.body import Body
from services.meetings.meeting.meeting import Meeting, MeetingDetails, WhichBody
from services.meetings.notice import notice as rules
from services.meetings.notice.notice import Change, Draft, Notice, Stage
from services.meetings.notice.scene import Scene, known_scene, scene_of
from services.meetings.reply.quorum import NEAR_DAYS
from services.meetings.reply.reply import Reply
from services.meetings.reply.substitutes import asked_anew, settle
from services.meetings.transaction import MeetingsTransaction
from shared.events import NoticeIssued, NoticeReminded, NoticeWithdrawn, QuorumAtRisk, SeatLeftEmpty
from shared.events.notices import AskedMember
from shared.timers import Timer, clear_timers, hold_timers, set_timers

DUE = "notice-due"
QUORUM_NEAR = "notice-quorum"

# Who was asked so late that the meeting is near has this long to answer before silence counts.
_TIME_TO_ANSWER = timedelta(days=1)


async def send_preliminary(
    transaction: MeetingsTransaction, organisation: str, meeting: Meeting, note: str | None, now: datetime
) -> Notice:
    """Raises Refused, InvalidInput."""
    scene = await known_scene(transaction, organisation, meeting)
    await _let_go(transaction, scene, now)
    scene.notice, fact = rules.send_preliminary(scene.notice, scene.draft(), note, now)
    await _told(transaction, scene, fact, now)
    await _settle(transaction, scene, now)
    return scene.notice


async def issue(
    transaction: MeetingsTransaction, organisation: str, meeting: Meeting, note: str | None, now: datetime
) -> Notice:
    """Raises Refused, InvalidInput."""
    return await _sent(transaction, organisation, meeting, note, now, rules.issue)


async def update(
    transaction: MeetingsTransaction, organisation: str, meeting: Meeting, note: str | None, now: datetime
) -> Notice:
    """Raises Refused, InvalidInput."""
    return await _sent(transaction, organisation, meeting, note, now, rules.update)


async def _sent(
    transaction: MeetingsTransaction,
    organisation: str,
    meeting: Meeting,
    note: str | None,
    now: datetime,
    rule: Callable[[Notice, Draft, str | None, datetime], tuple[Notice, NoticeIssued]],
) -> Notice:
    scene = await known_scene(transaction, organisation, meeting)
    changes, draft = rules.changed(scene.notice, scene.draft()), scene.draft()
    await _let_go(transaction, scene, now)
    if Change.TIME in changes:
        scene.replies = asked_anew(scene.replies)
    scene.notice, fact = rule(scene.notice, draft, note, now)
    await _told(transaction, scene, fact, now)
    await _settle(transaction, scene, now)
    await set_notice_timers(transaction, scene, now)
    return scene.notice


async def tell_update(
    transaction: MeetingsTransaction, organisation: str, meeting: Meeting, now: datetime, *, note: str | None = None
) -> Notice | None:
    """One updated notice, for who changes a meeting and tells it in one go: `meeting` as it is now, saved, as is its
    agenda. None when nobody was told of it yet, or nothing is otherwise than they were told: then nothing is sent."""
    scene = await scene_of(transaction, organisation, meeting)
    if scene is None or not scene.notice.is_told:
        return None
    if not rules.changed(scene.notice, scene.draft()) and not note:
        return None
    return await update(transaction, organisation, meeting, note, now)


async def remind(
    transaction: MeetingsTransaction,
    organisation: str,
    meeting: Meeting,
    among: Collection[str] | None,
    now: datetime,
) -> tuple[AskedMember, ...]:
    """Those who have not answered are asked again; who they are. `among`: only of these people, by id; None: all.

    Raises Refused."""
    scene = await known_scene(transaction, organisation, meeting)
    silent = [one for one in scene.silent(now) if among is None or one.person_id in among]
    fact = rules.remind(scene.notice, scene.draft(), silent, now)
    for one in silent:
        scene.replies[one.person_id] = scene.replies[one.person_id].model_copy(update={"reminded_at": now})
    await _save_replies(transaction, scene)
    await _tell(transaction, scene, fact, now)
    return fact.people


async def withdraw_notice(
    transaction: MeetingsTransaction,
    organisation: str,
    meeting: Meeting,
    now: datetime,
    *,
    taken_over_by: Meeting | None = None,
) -> Notice | None:
    """Of a meeting that was cancelled just now: who was told of it is told so. None when nobody was.

    `taken_over_by`: the meeting that takes over its items, as it is now."""
    found = await transaction.notice(organisation, meeting.id)
    if not (found.is_told or found.waits):
        return None
    await clear_timers(transaction.connection, [(organisation, meeting.id)])
    scene = await scene_of(transaction, organisation, meeting) if found.is_told else None
    if scene is None:
        stage = Stage.WITHDRAWN if found.is_told else found.stage
        ended = found.model_copy(update={"stage": stage, "approved_at": None})
        await transaction.save_notice(organisation, meeting.id, ended)
        return ended
    draft = scene.draft_to(scene.recipients(scene.told_before()))
    scene.notice, fact = rules.withdraw(scene.notice, draft, meeting.reason or "", taken_over_by)
    await transaction.save_notice(organisation, meeting.id, scene.notice)
    await _tell(transaction, scene, fact, now)
    return scene.notice


async def follow(
    transaction: MeetingsTransaction,
    organisation: str,
    meetings: Collection[Meeting],
    before: Mapping[str, MeetingDetails],
    now: datetime,
) -> None:
    """After meetings were changed: their notices go out by their new days. Nobody is told anything. `before`: what
    they were, by id.

    What was answered before anybody was told of a meeting was about the time that it had then; what was answered to a
    notice stands until the next one says the new time.
    """
    notices = await transaction.notices(organisation, [one.id for one in meetings])
    moved = {one.id for one in meetings if one.id in before and one.details.time != before[one.id].time}
    told = {one for one, notice in notices.items() if notice.is_told}
    for meeting_id, replies in (await transaction.replies_among(organisation, moved - told)).items():
        await transaction.save_replies(organisation, meeting_id, asked_anew(replies).values())
    for meeting in meetings:
        notice = notices.get(meeting.id)
        if notice is not None and (notice.waits or notice.stage is Stage.ISSUED):
            scene = await scene_of(transaction, organisation, meeting)
            if scene is not None:
                await set_notice_timers(transaction, scene, now)


async def follow_days(
    transaction: MeetingsTransaction, organisation: str, bodies: Iterable[tuple[Body | None, Body]], now: datetime
) -> None:
    """After bodies were changed, each given as it was and is: where their notices go out by other days now, those that
    are approved do so. The register is locked, no meeting is."""
    others = [
        WhichBody(is_.id, is_.details.name)
        for was, is_ in bodies
        if was and was.details.rules.notice_days != is_.details.rules.notice_days
    ]
    waiting = await transaction.meetings_with_waiting_notice(organisation, others) if others else []
    if waiting:
        await hold_timers(transaction.connection, organisation, *waiting)
        await transaction.lock_meetings(organisation, waiting)
        meetings = await transaction.meetings_among(organisation, waiting)
        await follow(transaction, organisation, list(meetings.values()), {}, now)


async def settle_answers(
    transaction: MeetingsTransaction, organisation: str, meeting: Meeting, now: datetime
) -> dict[str, Reply]:
    """After an answer, or when the meeting is near: substitutes are called or released, and a risk is told.

    All replies after that, by person.
    """
    scene = await scene_of(transaction, organisation, meeting)
    if scene is None:
        return {}
    await _settle(transaction, scene, now)
    return scene.replies


def near_moment(meeting: Meeting, notice: Notice) -> datetime:
    """From when on who has not said does not count as coming."""
    near = meeting.details.starts.replace(tzinfo=ZoneInfo(meeting.details.timezone)) - timedelta(days=NEAR_DAYS)
    return near if notice.issued_at is None else max(near, notice.issued_at + _TIME_TO_ANSWER)


async def _told(transaction: MeetingsTransaction, scene: Scene, fact: NoticeIssued, now: datetime) -> None:
    for person_id in scene.invited():
        scene.replies[person_id] = scene.replies[person_id].model_copy(update={"asked": True, "unreached": None})
    await transaction.save_notice(scene.organisation, scene.meeting.id, scene.notice)
    await _save_replies(transaction, scene)
    await _tell(transaction, scene, fact, now)


async def _settle(transaction: MeetingsTransaction, scene: Scene, now: datetime) -> None:
    """Substitutes are called once the notice is out: before, they would be asked to what nobody was told of. That too
    few will come, also of those who can be called, is told as soon as the date is. Once the sitting is opened, its own
    record says who is there and serves: no mail calls anybody."""
    if not scene.notice.is_told or await transaction.sitting_is_opened(scene.organisation, scene.meeting.id):
        return
    settled = settle(scene.places, scene.replies)
    if scene.notice.stage is Stage.PRELIMINARY:
        await _warn(transaction, scene, settled.replies, now)
        await transaction.save_notice(scene.organisation, scene.meeting.id, scene.notice)
        return
    if settled.released:
        await _release(transaction, scene, settled.released, now)
    scene.replies = settled.replies
    if settled.called:
        called = scene.recipients(settled.called)
        scene.notice, fact = rules.call(scene.notice, scene.draft(), called, now)
        await _tell(transaction, scene, fact, now)
    for member in settled.left_empty:
        empty = SeatLeftEmpty(meeting_id=scene.meeting.id, person_id=member)
        await transaction.tell_notice(scene.organisation, scene.meeting, empty, now)
    if told := scene.notice.told:
        people = tuple(sorted(one.person_id for one in scene.recipients(scene.invited())))
        if settled.called or settled.released:
            scene.notice = scene.notice.model_copy(update={"told": told.model_copy(update={"people": people})})
    await _warn(transaction, scene, scene.replies, now)
    await transaction.save_notice(scene.organisation, scene.meeting.id, scene.notice)
    await _save_replies(transaction, scene)


async def _let_go(transaction: MeetingsTransaction, scene: Scene, now: datetime) -> None:
    """Who was asked, and sits in the body no more. Where nobody was told of the meeting yet, they hear nothing."""
    gone = scene.gone()
    if gone and scene.notice.is_told:
        await _release(transaction, scene, gone, now)
        return
    for person_id in gone:
        scene.replies[person_id] = scene.replies[person_id].model_copy(update={"asked": False, "instead_of": None})


async def _release(transaction: MeetingsTransaction, scene: Scene, person_ids: Collection[str], now: datetime) -> None:
    released = scene.recipients(person_ids)
    scene.notice, fact = rules.release(scene.notice, scene.draft(), released)
    for person_id in person_ids:
        scene.replies[person_id] = scene.replies[person_id].model_copy(update={"asked": False, "instead_of": None})
    await _tell(transaction, scene, fact, now)


async def _warn(transaction: MeetingsTransaction, scene: Scene, replies: Mapping[str, Reply], now: datetime) -> None:
    """Of a quorum at risk: once, and again only after it was out of danger. Silence counts once the notice asked."""
    outlook = scene.outlook(replies)
    is_near = scene.notice.stage is Stage.ISSUED and now >= near_moment(scene.meeting, scene.notice)
    at_risk = outlook.is_at_risk(near=is_near)
    if at_risk and not scene.notice.at_risk:
        known = rules.as_known(scene.notice, scene.draft(), scene.looking_after())
        fact = QuorumAtRisk.model_validate(known | outlook.model_dump())
        await transaction.tell_notice(scene.organisation, scene.meeting, fact, now)
    scene.notice = scene.notice.model_copy(update={"at_risk": at_risk})


async def set_notice_timers(transaction: MeetingsTransaction, scene: Scene, now: datetime) -> None:
    """When an approved notice goes out by itself, and when silence counts."""
    timers = []
    if scene.notice.waits:
        timers.append(Timer(scene.organisation, DUE, scene.meeting.id, rules.due_moment(scene.meeting, scene.days)))
    if scene.notice.stage is Stage.ISSUED:
        near = near_moment(scene.meeting, scene.notice)
        due = near if near > now else now + _TIME_TO_ANSWER
        timers.append(Timer(scene.organisation, QUORUM_NEAR, scene.meeting.id, due))
    await set_timers(transaction.connection, timers)


async def _save_replies(transaction: MeetingsTransaction, scene: Scene) -> None:
    """Those that are otherwise than they were found, and of whom was told."""
    changed = [
        one
        for person_id, one in scene.replies.items()
        if one != scene.stored.get(person_id) and (person_id in scene.stored or scene.notice.is_told)
    ]
    await transaction.save_replies(scene.organisation, scene.meeting.id, changed)
    scene.stored.update({one.person_id: one for one in changed})


async def _tell(
    transaction: MeetingsTransaction, scene: Scene, fact: NoticeIssued | NoticeReminded | NoticeWithdrawn, now: datetime
) -> None:
    """Nobody is told what no mail would reach."""
    if fact.people:
        await transaction.tell_notice(scene.organisation, scene.meeting, fact, now)
