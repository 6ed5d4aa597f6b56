"""What the public reads of the notice board and its archive: what is there now, its files, and nothing else.

There is no way from here to minutes, drafts, masks, or an edition that was corrected.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from http import HTTPStatus
from typing import ClassVar, Literal
from zoneinfo import ZoneInfo

from services.meetings.body.body import Body, DeadlineProfile
from services.meetings.publication.deadlines import archived_since
from services.meetings.publication.publication import Posted, Publication, Status
from services.meetings.publication.store import Sought
from services.meetings.transaction import MeetingsTransaction
from shared.blobs import BlobStore
from shared.clock import Clock
from shared.errors import JusteraError, NotFound
from shared.messaging.transaction import UnitOfWork

_NEVER = datetime(1970, 1, 1, tzinfo=UTC)


class Removed(JusteraError):
    """It was posted, and is no longer."""

    slug: ClassVar[str] = "not-posted"
    status: ClassVar[HTTPStatus] = HTTPStatus.GONE


@dataclass(frozen=True, slots=True)
class Posting:
    """What is on the board, or in the archive, with its body as it is now."""

    publication: Publication
    posted: Posted
    body: str
    may_be_appealed: bool


@dataclass(frozen=True, slots=True)
class Board:
    """The latest first. `changed_at`: when something was last posted, corrected or taken down."""

    postings: tuple[Posting, ...]
    changed_at: datetime


@dataclass(frozen=True, slots=True)
class Archive:
    """A page of what was posted earlier and may still be read, the latest meeting first. `bodies`: by id, the names of
    those that keep an archive; `years`: of which there is something, the latest first. `next`: the last one's day and
    id, when more follow."""

    postings: tuple[Posting, ...]
    bodies: dict[str, str]
    years: tuple[int, ...]
    next: tuple[date, str] | None


class BoardQueries:
    def __init__(self, unit_of_work: UnitOfWork[MeetingsTransaction], blobs: BlobStore, clock: Clock) -> None:
        self._unit_of_work = unit_of_work
        self._blobs = blobs
        self._clock = clock

    async def board(self, organisation: str, *, most: int | None = None) -> Board:
        """All that is posted, or the latest of it. What is masked is not read."""
        async with self._unit_of_work.begin() as transaction:
            found = await transaction.posted(organisation, most=most)
            bodies = {one.id: one for one in await transaction.bodies(organisation)}
            changed_at = await transaction.board_changed_at(organisation)
        now = self._clock.now()
        postings = [_posting(one, bodies[one.body_id], now) for one in found if one.body_id in bodies]
        return Board(tuple(postings), changed_at or _NEVER)

    async def archive(self, organisation: str, sought: Sought, *, after: tuple[date, str] | None, most: int) -> Archive:
        """What was posted, of bodies whose rule says now that it may be read. What is masked is not read."""
        now = self._clock.now()
        async with self._unit_of_work.begin() as transaction:
            bodies = {one.id: one for one in await transaction.bodies(organisation)}
            since = archives(bodies.values(), now)
            found = await transaction.archived(organisation, since, sought, after=after, most=most + 1)
            years = await transaction.archived_years(organisation, since)
        shown = found[:most]
        return Archive(
            postings=tuple(_posting(one, bodies[one.body_id], now) for one in shown),
            bodies={body_id: bodies[body_id].details.name for body_id in since},
            years=tuple(years),
            next=(shown[-1].held_on, shown[-1].id) if len(found) > most else None,
        )

    async def posting(self, organisation: str, publication_id: str) -> Posting:
        """Raises NotFound for what never was posted, Removed for what is no longer."""
        async with self._unit_of_work.begin() as transaction:
            found = await transaction.posting(organisation, publication_id)
            if found.status is Status.DRAFT:
                raise _nothing()
            body = await transaction.body(organisation, found.body_id)
            now = self._clock.now()
            if found.status is Status.REMOVED or not is_read(found, body, now):
                raise Removed("it is no longer on the notice board")
            return _posting(found, body, now)

    async def file(self, organisation: str, publication_id: str, kind: Literal["pdf", "html"]) -> tuple[Posting, bytes]:
        """Raises as `posting`, Unavailable."""
        found = await self.posting(organisation, publication_id)
        ref = found.posted.pdf if kind == "pdf" else found.posted.html
        return found, await self._blobs.get(organisation, ref)


def is_read(publication: Publication, body: Body, now: datetime) -> bool:
    """Whether anyone may read it now: on the board, or in the archive, where its body has one that goes back so far."""
    if publication.status is Status.ARCHIVED:
        since = _archive(body, now)
        return since is not None and publication.held_on >= since
    return publication.status is Status.POSTED


def archives(bodies: Iterable[Body], now: datetime) -> dict[str, date]:
    """Of the bodies that keep a public archive, by their ids, how far back it goes now."""
    return {one.id: since for one in bodies if (since := _archive(one, now)) is not None}


def _archive(body: Body, now: datetime) -> date | None:
    rules = body.details.rules
    return archived_since(rules, now.astimezone(ZoneInfo(rules.timezone)).date())


def _posting(publication: Publication, body: Body, now: datetime) -> Posting:
    """Raises NotFound for what nobody may read."""
    if publication.posted is None or not is_read(publication, body, now):
        raise _nothing()
    municipal = body.details.rules.deadline_profile is DeadlineProfile.MUNICIPALITY
    return Posting(publication, publication.posted, body.details.name, municipal)


def _nothing() -> NotFound:
    return NotFound("there is no such posting")
