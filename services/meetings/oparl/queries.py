"""What clients of the open data ask for. Whoever asks first after something changed makes the objects anew."""

import asyncio
import hashlib
import json
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from http import HTTPStatus
from typing import TypeVar
from zoneinfo import ZoneInfo

from services.meetings.body.body import Body
from services.meetings.oparl.keeping import Kept, settled
from services.meetings.oparl.oparl import Addresses, Called, Key, Kind, Scene, open_things
from services.meetings.oparl.store import Between
from services.meetings.publication.publication import Posted
from services.meetings.publication.queries import archives, is_read
from services.meetings.transaction import MeetingsTransaction
from shared.blobs import BlobStore
from shared.clock import Clock
from shared.errors import JusteraError
from shared.messaging.transaction import UnitOfWork

Read = TypeVar("Read")

_MADE_BY = 3
"""Raised when objects are made otherwise of the same rows: those of older code are made anew."""


class Gone(JusteraError):
    """Of what was public once."""

    slug = "gone"
    status = HTTPStatus.GONE


@dataclass(frozen=True, slots=True)
class Page:
    """`next`: the last object's time and id, when more follow."""

    objects: list[Kept]
    next: tuple[datetime, str] | None


class OpenQueries:
    """`name`: of the association; `license_url`: empty for none.

    No mark of time passing is finer than an hour: terms end at midnight, in zones of whole hours."""

    def __init__(
        self,
        unit_of_work: UnitOfWork[MeetingsTransaction],
        clock: Clock,
        *,
        organisation: str,
        name: str,
        addresses: Addresses,
        blobs: BlobStore,
        license_url: str = "",
    ) -> None:
        self._unit_of_work = unit_of_work
        self._clock = clock
        self.organisation = organisation
        self._name = name
        self.addresses = addresses
        self._blobs = blobs
        self._license = license_url
        self._making = asyncio.Lock()

    async def object(self, kind: Kind, thing_id: str) -> Kept:
        """Raises NotFound for what never was public."""

        async def work(transaction: MeetingsTransaction) -> Kept:
            return await transaction.open_object(self.organisation, kind, thing_id)

        return await self._read(work)

    async def system(self) -> Kept:
        return await self.object(Kind.SYSTEM, self.organisation)

    async def content(self, file_id: str) -> tuple[Kept, bytes]:
        """A file as it is published now. Raises NotFound for what never was, Gone, Unavailable."""

        async def work(transaction: MeetingsTransaction) -> tuple[Kept, Posted]:
            kept = await transaction.open_object(self.organisation, Kind.FILE, file_id)
            posting = await transaction.posting(self.organisation, file_id)
            # It may have been taken down since the objects were made.
            body = await transaction.body(self.organisation, posting.body_id)
            if kept.fields is None or posting.posted is None or not is_read(posting, body, self._clock.now()):
                raise Gone("the file is public no longer")
            return kept, posting.posted

        kept, posted = await self._read(work)
        return kept, await self._blobs.get(self.organisation, posted.pdf)

    async def page(
        self,
        kind: Kind,
        between: Between,
        *,
        owner: str | None = None,
        after: tuple[datetime, str] | None = None,
        most: int,
    ) -> Page:
        """`owner`: of this organization alone. Raises NotFound for one that never was public."""

        async def work(transaction: MeetingsTransaction) -> list[Kept]:
            if owner is not None:
                await transaction.open_object(self.organisation, Kind.ORGANIZATION, owner)
            return await transaction.open_page(
                self.organisation, kind, between, owner=owner, after=after, most=most + 1
            )

        found = await self._read(work)
        shown = found[:most]
        return Page(shown, (shown[-1].created, shown[-1].id) if len(found) > most else None)

    async def _read(self, work: Callable[[MeetingsTransaction], Awaitable[Read]]) -> Read:
        """What `work` finds among the objects of what stands now.

        Only one request makes them anew, and those that wait for it hold no connection meanwhile.
        """

        async def if_made(transaction: MeetingsTransaction) -> tuple[Read] | None:
            if await self._mark(transaction) != await transaction.open_state(self.organisation):
                return None
            return (await work(transaction),)

        if (found := await self._unit_of_work.run(if_made)) is not None:
            return found[0]
        async with self._making:
            await self._unit_of_work.run(self._make)
        return await self._unit_of_work.run(work)

    async def _make(self, transaction: MeetingsTransaction) -> None:
        """Anew the objects of what changed, and the few that the register alone says, unless another has since."""
        made_of = await transaction.open_state(self.organisation, for_update=True)
        mark = await self._mark(transaction)  # before all else that is read: what comes meanwhile is followed next time
        if mark == made_of:
            return
        bodies = [one for one in await transaction.bodies(self.organisation) if one.details.rules.public]
        since = archives(bodies, self._clock.now())
        meetings = await transaction.changed_meetings(self.organisation, self._told(bodies, since))
        before = await transaction.open_objects(self.organisation, meetings)
        scene = await self._scene(transaction, bodies, since, meetings)
        changed = await asyncio.to_thread(self._changed, before, scene)
        await transaction.save_open_objects(self.organisation, changed)
        await transaction.save_made_of(self.organisation, meetings)
        await transaction.save_open_state(self.organisation, mark)

    def _changed(self, before: Mapping[Key, Kept], scene: Scene) -> tuple[Kept, ...]:
        return settled(before, open_things(scene, self.addresses), self.addresses, self._clock.now())

    async def _mark(self, transaction: MeetingsTransaction) -> str:
        rows = await transaction.open_mark(self.organisation)
        hour = f"{self._clock.now():%Y-%m-%dT%H}"
        all_of_it = json.dumps([_MADE_BY, rows, hour, self._name, self._license, self.addresses.base])
        return hashlib.sha256(all_of_it.encode()).hexdigest()

    def _told(self, bodies: Sequence[Body], since: Mapping[str, date]) -> str:
        """What the objects of every meeting are made of besides the meeting. `bodies`: the public ones; `since`: how
        far back their archives go, which for most changes with the year, if ever."""
        rules = sorted((one.id, since[one.id].isoformat() if one.id in since else "") for one in bodies)
        return json.dumps([_MADE_BY, self.addresses.base, rules])

    async def _scene(
        self,
        transaction: MeetingsTransaction,
        bodies: Sequence[Body],
        since: Mapping[str, date],
        meeting_ids: Collection[str],
    ) -> Scene:
        now = self._clock.now()
        ids = {body.id for body in bodies}
        memberships = [one for one in await transaction.memberships(self.organisation) if one.body_id in ids]
        people = await transaction.people_among(self.organisation, {one.seat.person_id for one in memberships})
        called = await transaction.called_meetings(self.organisation, meeting_ids, ids, since)
        meetings = await transaction.meetings_among(self.organisation, set(called))
        return Scene(
            organisation=self.organisation,
            name=self._name,
            license=self._license or None,
            bodies=bodies,
            memberships=memberships,
            names={person_id: person.details.name for person_id, person in people.items()},
            meetings=[Called(meetings[meeting_id], *known) for meeting_id, known in sorted(called.items())],
            today={body.id: now.astimezone(ZoneInfo(body.details.rules.timezone)).date() for body in bodies},
        )
