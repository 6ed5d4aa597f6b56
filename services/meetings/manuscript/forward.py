"""A draft is put forward: it is numbered as it stands, and those who sign it are named.

Who signs follows from the body's rules and the names in the draft; their addresses are those of the register.
"""

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from services.meetings.body.body import BodyRules
from services.meetings.manuscript.commands import Desk, ManuscriptCommands, document_of
from services.meetings.minutes.adjusting import AdjustCommands
from services.meetings.minutes.commands import MinutesCommands
from services.meetings.minutes.drafting import DraftedMinutes, Drafting
from services.meetings.minutes.front_matter import FrontMatter
from services.meetings.minutes.loose_annexes import Loose, left_out, loose_in
from services.meetings.minutes.minutes import parse_minutes
from services.meetings.minutes.phrases import NOT_KNOWN
from services.meetings.person.person import Person as Known
from services.meetings.transaction import MeetingsTransaction
from services.meetings.versions import require_version
from shared.errors import InvalidInput, NotFound
from shared.events import Person, SignerInvitation
from shared.messaging.transaction import UnitOfWork


@dataclass(frozen=True, slots=True)
class Place:
    """A place to sign. `email`: of the one person of that name in the register; empty where there is none, or two."""

    role: str
    name: str
    email: str = ""


@dataclass(frozen=True, slots=True)
class Proposal:
    """A draft as it would be put forward. `places`: in signing order; none while `trouble` keeps it from being minutes.
    `sender`: who is answered; the secretary. `loose`, `left_out`: see `minutes.loose_annexes`."""

    desk: Desk
    trouble: InvalidInput | None
    count: int = 0
    places: tuple[Place, ...] = ()
    sender: Place = Place("secretary", "")
    loose: tuple[Loose, ...] = ()
    left_out: tuple[str, ...] = ()

    @property
    def version(self) -> int:
        """Of the draft."""
        return self.desk.manuscript.version if self.desk.manuscript else 0


class ForwardCommands:
    def __init__(
        self,
        unit_of_work: UnitOfWork[MeetingsTransaction],
        manuscripts: ManuscriptCommands,
        minutes: MinutesCommands,
        adjusting: AdjustCommands,
    ) -> None:
        self._adjusting = adjusting
        self._unit_of_work = unit_of_work
        self._manuscripts = manuscripts
        self._minutes = minutes

    async def proposal(self, organisation: str, meeting_id: str) -> Proposal:
        """Raises NotFound, also where nothing is written."""
        desk = await self._manuscripts.desk(organisation, meeting_id)
        if desk.manuscript is None:
            raise NotFound("no minutes are being written for this meeting", hint="write them of the sitting first")
        try:
            draft = await asyncio.to_thread(parse_minutes, desk.manuscript.markdown)
            document_of(draft, desk)
        except InvalidInput as error:
            return Proposal(desk, error)
        if NOT_KNOWN in {draft.front.secretary, draft.front.place, *draft.front.adjusters}:
            return Proposal(desk, InvalidInput(f"the draft has {NOT_KNOWN} for who signs it, or for where it was"))
        async with self._unit_of_work.begin() as transaction:
            body = await transaction.body_of(organisation, desk.meeting)
            people = await transaction.all_people(organisation)
            files = await transaction.files_of_meeting(organisation, meeting_id)
        rules = body.details.rules if body else BodyRules()
        places = places_of(draft.front, rules.signers, people)
        sender = _place("secretary", draft.front.secretary, people)
        loose, unnamed = loose_in(draft), left_out(draft, files)
        return Proposal(desk, None, len(draft.sections), places, sender, loose, unnamed)

    async def put_forward(
        self,
        organisation: str,
        meeting_id: str,
        sender: Person,
        signers: Sequence[SignerInvitation],
        *,
        seen: int,
        ip: str,
        release: bool,
        piece_id: str | None = None,
    ) -> DraftedMinutes:
        """`seen`: the version of the draft that was looked at; `release`: it is sent to be signed at once.
        `piece_id`: a paragraph that is approved on its own, before the rest; it is always sent.

        Raises NotFound, Refused, InvalidInput, Unavailable."""
        desk = await self._manuscripts.desk(organisation, meeting_id)
        if desk.manuscript is None:
            raise NotFound("no minutes are being written for this meeting", hint="write them of the sitting first")
        require_version("the draft", desk.manuscript.version, seen)
        drafting = Drafting(
            sender=sender.model_copy(update={"language": desk.language}),
            signers=tuple(one.model_copy(update={"language": desk.language}) for one in signers),
            language=desk.language,
            timezone=desk.meeting.details.timezone,
        )
        if piece_id is not None:
            return await self._adjusting.adjust(organisation, meeting_id, piece_id, drafting, written=seen, ip=ip)
        return await self._minutes.draft_minutes(
            organisation, meeting_id, desk.manuscript.markdown, drafting, ip=ip, written=seen, release=release
        )


def places_of(front: FrontMatter, roles: Iterable[str], people: Sequence[Known]) -> tuple[Place, ...]:
    """By the body's roles, each with the name in the draft. All adjusters whom the draft names sign, after each other;
    a role that it does not name has no name yet."""
    named = {"secretary": [front.secretary], "chair": [front.chair], "adjuster": list(front.adjusters)}
    made = list[Place]()
    for role in roles:
        if role == "adjuster" and any(one.role == role for one in made):
            continue  # all of them stand there already
        names = named[role] if role == "adjuster" else named.get(role, [])[:1]
        made += [_place(role, name, people) for name in names or [""]]
    return tuple(made)


def _place(role: str, name: str, people: Sequence[Known]) -> Place:
    found = {one.details.email for one in people if _key(one.details.name) == _key(name) and one.details.email}
    return Place(role, name, found.pop() or "" if len(found) == 1 else "")


def _key(name: str) -> str:
    return " ".join(name.split()).casefold()
