"""The rules of the notice board (anslagstavla): what of a meeting's minutes is posted, until when, who is told. Pure.

The minutes of a meeting have one publication, whose id is in its permanent address, and so has each paragraph that was
approved at once, before the rest. What is posted has an edition: a correction is the next one, and nobody can read the
one before.
"""

from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from typing import Any
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict

from services.meetings.body.body import Body
from services.meetings.meeting.meeting import Meeting
from services.meetings.publication import deadlines
from shared.errors import InvalidInput, Refused, says
from shared.events import BlobRef, MinutesPosted, MinutesPostingRemoved
from shared.rendering.minutes import Language
from shared.rendering.public import Mask
from shared.text import clean_reason

_MORNING = time(8)


class Status(StrEnum):
    DRAFT = "draft"  # not posted yet: nobody reads it
    POSTED = "posted"
    ARCHIVED = "archived"  # its time on the board is over; in the public archive, as long as its body's rule says so
    REMOVED = "removed"


class Deadline(StrEnum):
    ADJUST = "adjust"
    POST = "post"


class Warned(StrEnum):
    """What was told of a deadline; each once."""

    ADJUST_NEAR = "adjust_near"
    ADJUST_MISSED = "adjust_missed"
    POST_NEAR = "post_near"
    POST_MISSED = "post_missed"

    @property
    def deadline(self) -> Deadline:
        return Deadline.ADJUST if self in (Warned.ADJUST_NEAR, Warned.ADJUST_MISSED) else Deadline.POST

    @property
    def is_missed(self) -> bool:
        return self in (Warned.ADJUST_MISSED, Warned.POST_MISSED)


_DAYS_AHEAD = {Deadline.ADJUST: timedelta(days=3), Deadline.POST: timedelta(days=1)}


class Posted(BaseModel):
    """What can be read: `title` and all three files are without what is masked.

    `document`: what the pages were set from (`MinutesDocument`). Paragraphs are numbers through the body's year.
    `says_when`: the pages say when each signature was made, which is not kept of those that are older than the board.
    """

    model_config = ConfigDict(frozen=True)

    title: str
    language: Language
    minutes_version: int
    first_paragraph: int
    last_paragraph: int
    pdf: BlobRef
    html: BlobRef
    document: BlobRef
    says_when: bool = True


class Publication(BaseModel):
    """`version` counts its facts. `part`: 0 of the whole minutes; below 0, of one `paragraph` that was approved at
    once, as `minutes.at_once` counts them. `adjusted_on`: the day on which all had signed. `adjust_by`, `post_by`: last
    days.

    `posted`, `edition`, `masks`: of what is, or was, on the board. `remove_on`: the first day on which it is no longer
    there. `told`: of which deadlines. `removed_at`: when it was taken down from the board, or out of the archive. Days
    are local, in `timezone`.
    """

    model_config = ConfigDict(frozen=True)

    id: str
    version: int
    meeting_id: str
    part: int = 0
    paragraph: int | None = None
    body_id: str
    held_on: date
    timezone: str
    status: Status = Status.DRAFT
    adjust_by: date | None = None
    adjusted_on: date | None = None
    post_by: date | None = None
    edition: int = 0
    masks: tuple[Mask, ...] = ()
    posted: Posted | None = None
    posted_at: datetime | None = None
    posted_on: date | None = None
    edited_at: datetime | None = None
    appeal_until: date | None = None
    remove_on: date | None = None
    removed_at: datetime | None = None
    removal_reason: str | None = None
    told: tuple[Warned, ...] = ()

    @property
    def is_corrected(self) -> bool:
        """Since it was posted. Taken down and posted again it is an edition, and no correction."""
        return self.posted_at is not None and self.edited_at is not None and self.edited_at > self.posted_at

    def next_moment(self) -> datetime | None:
        """When it has to be looked at next; None when nothing is waited for."""
        if self.status is Status.POSTED:
            return self._at(self.remove_on, time()) if self.remove_on else None
        return min((self.moment(one) for one in self._to_tell()), default=None)

    def moment(self, warned: Warned) -> datetime:
        due = self.due(warned.deadline)
        if warned.is_missed:
            return self._at(due + timedelta(days=1), time())
        return self._at(due - _DAYS_AHEAD[warned.deadline], _MORNING)

    def due(self, deadline: Deadline) -> date:
        """Of one that it has. Raises ValueError for one that nothing says."""
        due = self.adjust_by if deadline is Deadline.ADJUST else self.post_by
        if due is None:
            raise ValueError(f"the publication has no deadline {deadline}")
        return due

    def day(self, moment: datetime) -> date:
        return moment.astimezone(ZoneInfo(self.timezone)).date()

    def _to_tell(self) -> Iterator[Warned]:
        """What would be told if time went on."""
        if self.status is not Status.DRAFT:
            return
        if self.adjusted_on is None and self.adjust_by is not None:
            waiting: tuple[Warned, ...] = (Warned.ADJUST_NEAR, Warned.ADJUST_MISSED)
        elif self.adjusted_on is not None and self.post_by is not None:
            waiting = (Warned.POST_NEAR, Warned.POST_MISSED)
        else:
            return
        yield from (one for one in waiting if one not in self.told)

    def _at(self, day: date, hour: time) -> datetime:
        return datetime.combine(day, hour, ZoneInfo(self.timezone))


def begin(publication_id: str, meeting: Meeting, body: Body) -> Publication:
    """Of a meeting whose minutes are waited for."""
    held_on = meeting.details.ends.date()
    return Publication(
        id=publication_id,
        version=0,
        meeting_id=meeting.id,
        body_id=body.id,
        held_on=held_on,
        timezone=meeting.details.timezone,
        adjust_by=deadlines.adjust_by(body.details.rules, held_on),
    )


def begin_part(publication_id: str, meeting: Meeting, body: Body, part: int, paragraph: int) -> Publication:
    """Of a paragraph that all have approved at once: it waits to be posted, and for nothing else."""
    whole = begin(publication_id, meeting, body)
    return whole.model_copy(update={"part": part, "paragraph": paragraph, "adjust_by": None})


def followed(
    publication: Publication, meeting: Meeting, body: Body, signed_at: datetime | None, now: datetime, *, is_new: bool
) -> Publication:
    """As its meeting is now. `signed_at`: when all had signed its minutes. `is_new`: it begins now.

    Of a deadline that was past when it was first counted nobody is told: that a meeting of long ago is touched, or a
    plan adopted late, is no news of its minutes.
    """
    found = moved(publication, meeting, body)
    if signed_at is not None:
        found = adjusted(found, body, signed_at)
    if is_new or (found.adjust_by, found.post_by) != (publication.adjust_by, publication.post_by):
        waiting = tuple(found._to_tell())
        if any(one.is_missed and found.moment(one) <= now for one in waiting):
            return found.model_copy(update={"told": (*found.told, *waiting)})
    return found


def moved(publication: Publication, meeting: Meeting, body: Body) -> Publication:
    """Of a meeting that was moved, or is another body's, before its minutes were signed: so is the deadline. Of another
    one than was told of is told anew."""
    if publication.adjusted_on is not None or publication.part:
        return publication
    now = begin(publication.id, meeting, body)
    update = {name: getattr(now, name) for name in ("body_id", "held_on", "timezone", "adjust_by")}
    if now.adjust_by != publication.adjust_by:
        update["told"] = ()
    return publication.model_copy(update=update)


def left_alone(publication: Publication) -> Publication:
    """Of a meeting that became one of a body that the register does not know: nothing says until when it is signed."""
    if publication.adjusted_on is not None:
        return publication
    return publication.model_copy(update={"adjust_by": None, "told": ()})


def adjusted(publication: Publication, body: Body, signed_at: datetime) -> Publication:
    """All have signed; known already, nothing changes."""
    if publication.adjusted_on is not None:
        return publication
    day = publication.day(signed_at)
    update = {"adjusted_on": day, "post_by": deadlines.post_by(body.details.rules, day)}
    return publication.model_copy(update=update)


def post(
    publication: Publication, body: Body, made: Posted, masks: tuple[Mask, ...], now: datetime
) -> tuple[Publication, MinutesPosted]:
    """On the board, or as its next edition: that stays where the one before is, and as long as it would have. Raises
    Refused."""
    if publication.adjusted_on is None:
        raise not_signed()
    today = publication.day(now)
    in_archive = publication.status is Status.ARCHIVED
    update: dict[str, Any] = {
        "version": publication.version + 1,
        "status": Status.ARCHIVED if in_archive else Status.POSTED,
        "edition": publication.edition + 1,
        "masks": masks,
        "posted": made,
        "edited_at": now,
    }
    if publication.status not in (Status.POSTED, Status.ARCHIVED):
        standing = deadlines.posting(body.details.rules, today)
        update |= {"posted_at": now, "posted_on": today, "removed_at": None, "removal_reason": None}
        update |= {"appeal_until": standing.appeal_until, "remove_on": standing.remove_on}
    kept = publication.model_copy(update=update)
    return kept, MinutesPosted(
        **about(kept),
        document_name=made.title,
        minutes_version=made.minutes_version,
        edition=kept.edition,
        masks=len(masks),
        posted_on=_iso(kept.posted_on) or "",
        appeal_until=_iso(kept.appeal_until),
        remove_on=_iso(kept.remove_on),
        in_archive=in_archive,
        pdf=made.pdf,
    )


def remove(
    publication: Publication, body: Body, reason: str | None, now: datetime
) -> tuple[Publication, MinutesPostingRemoved]:
    """By a person. What has a reason, which is kept here, is nowhere to be read any more; before its day is over, and
    in the archive, it needs one. Raises Refused, InvalidInput."""
    if publication.status not in (Status.POSTED, Status.ARCHIVED):
        raise not_posted()
    why = clean_reason(reason) if reason and reason.strip() else None
    if why is None and publication.status is Status.ARCHIVED:
        raise InvalidInput("reason: is needed, since it would stay in the archive", hint="say why it is removed")
    if why is None and publication.remove_on is not None and publication.day(now) < publication.remove_on:
        raise InvalidInput(
            "reason: is needed, since the time for which it is posted is not over", hint="say why it is taken down"
        )
    return _removed(publication, why, "person", now, keep=why is None and _is_kept(publication, body, now))


def pass_time(
    publication: Publication, body: Body, now: datetime
) -> tuple[Publication, Warned | None, MinutesPostingRemoved | None]:
    """What happens by itself by now: it is taken down, or a deadline is told of; not twice, and only what is worst."""
    if publication.status is Status.POSTED:
        if publication.remove_on is None or publication.day(now) < publication.remove_on:
            return publication, None, None
        removed, fact = _removed(publication, None, "timer", now, keep=_is_kept(publication, body, now))
        return removed, None, fact
    come = [one for one in publication._to_tell() if publication.moment(one) <= now]
    if not come:
        return publication, None, None
    update = {"version": publication.version + 1, "told": (*publication.told, *come)}
    return publication.model_copy(update=update), come[-1], None


def about(publication: Publication) -> dict[str, Any]:
    """What every fact of it says."""
    return {
        "publication_id": publication.id,
        "meeting_id": publication.meeting_id,
        "body_id": publication.body_id,
        "held_on": publication.held_on.isoformat(),
        "paragraph": publication.paragraph,
    }


def not_signed() -> Refused:
    return Refused(
        "the minutes are not signed by everyone",
        hint="publish them once all have signed",
        says=says("publication_not_signed"),
    )


def not_posted() -> Refused:
    return Refused(
        "the minutes are not on the notice board",
        hint="look at the page again: somebody else may have removed them",
        says=says("not_posted"),
    )


def _is_kept(publication: Publication, body: Body, now: datetime) -> bool:
    """Whether the body's public archive goes so far back."""
    since = deadlines.archived_since(body.details.rules, publication.day(now))
    return since is not None and publication.held_on >= since


def _removed(
    publication: Publication, reason: str | None, by: str, now: datetime, *, keep: bool
) -> tuple[Publication, MinutesPostingRemoved]:
    update = {
        "version": publication.version + 1,
        "status": Status.ARCHIVED if keep else Status.REMOVED,
        "removed_at": now,
        "removal_reason": reason,
    }
    removed = publication.model_copy(update=update)
    return removed, MinutesPostingRemoved(
        **about(removed),
        document_name=publication.posted.title if publication.posted else "",
        edition=publication.edition,
        by=by,
        is_readable=keep,
    )


def _iso(day: date | None) -> str | None:
    return day.isoformat() if day else None
