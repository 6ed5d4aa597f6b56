"""The rules of calling substitutes (ersättare) when a member who decides cannot come to a meeting. Pure.

Each member's place is for itself: the first substitute in order who is free is called to it, the next one when that one
declines, and the call is taken back when the member comes after all. A member who only wavers takes nothing back.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from services.meetings.body.body import Substitution
from services.meetings.body.membership import MEMBERS, MemberRole, Membership, standing
from services.meetings.reply.reply import Answer, Reply
from shared.errors import Refused


@dataclass(frozen=True, slots=True)
class Places:
    """Who sits in a body on a day: `members`, who decide, by role; `substitutes` by order; `parties` of both."""

    rule: Substitution
    members: tuple[str, ...]
    substitutes: tuple[str, ...]
    parties: Mapping[str, str | None]

    def callable_for(self, member: str) -> list[str]:
        """In the order in which they are called to the member's place."""
        if self.rule is Substitution.NONE:
            return []
        if self.rule is Substitution.IN_ORDER:
            return list(self.substitutes)
        party = self.parties.get(member)
        return sorted(self.substitutes, key=lambda one: party is None or self.parties.get(one) != party)


@dataclass(frozen=True, slots=True)
class Settled:
    """`replies`: all of them, as they are now. `called`, `released`: substitutes; `left_empty`: members whose places
    nobody can take. Each is news."""

    replies: dict[str, Reply]
    called: tuple[str, ...] = ()
    released: tuple[str, ...] = ()
    left_empty: tuple[str, ...] = ()


def places_on(
    rule: Substitution, memberships: Iterable[Membership], day: date, parties: Mapping[str, str | None]
) -> Places:
    """Who is a member has no substitute's place."""
    there = [one.seat for one in standing(memberships, day)]
    members = tuple(dict.fromkeys(seat.person_id for seat in there if seat.role in MEMBERS))
    others = (seat.person_id for seat in there if seat.role is MemberRole.SUBSTITUTE)
    return Places(rule, members, tuple(one for one in dict.fromkeys(others) if one not in members), parties)


def stand_in(replies: Mapping[str, Reply], member: str) -> Reply | None:
    """Who is called to the member's place."""
    return next((one for one in replies.values() if one.asked and one.instead_of == member), None)


def settle(places: Places, replies: Mapping[str, Reply]) -> Settled:
    """`replies`: of all who are or were asked, by person. Settled again, there is no news."""
    now = dict(replies)
    for person_id, reply in now.items():
        if reply.instead_of is not None and reply.answer is Answer.ABSENT:
            now[person_id] = reply.model_copy(update={"instead_of": None})
    released = tuple(_release(places, now))
    called, left_empty = [], []
    for member in _without_anybody(places, now):
        found = next((one for one in places.callable_for(member) if _is_free(now.get(one))), None)
        if found is not None:
            now[found] = _called(replies.get(found), found, member)
            called.append(found)
        elif places.rule is not Substitution.NONE and not now[member].left_empty:
            now[member] = now[member].model_copy(update={"left_empty": True})
            left_empty.append(member)
    empty = set(_without_anybody(places, now))
    for person_id, reply in now.items():
        if reply.left_empty and person_id not in empty:
            now[person_id] = reply.model_copy(update={"left_empty": False})
    return Settled(now, tuple(called), tuple(one for one in released if one not in called), tuple(left_empty))


def require_place(places: Places, replies: Mapping[str, Reply], reply: Reply, said: Answer) -> None:
    """A substitute who declined may think again while there is a place. Raises Refused."""
    if reply.role is not MemberRole.SUBSTITUTE or reply.instead_of is not None or said is Answer.ABSENT:
        return
    if not any(reply.person_id in places.callable_for(one) for one in _without_anybody(places, replies)):
        raise Refused("another substitute was called in the meantime", hint="there is no place to take now")


def asked_anew(replies: Mapping[str, Reply]) -> dict[str, Reply]:
    """The meeting has another time: what was answered was about the old one. Who is called to a place stays so."""
    nothing = {"answer": None, "via": None, "comment": None, "answered_at": None, "left_empty": False}
    nothing["reminded_at"] = None  # of that time, too
    return {
        person_id: one.model_copy(update=nothing | ({"asked": False} if is_let_go(one) else {}))
        for person_id, one in replies.items()
    }


def is_let_go(reply: Reply) -> bool:
    """A substitute who was called, and declined."""
    return reply.role is MemberRole.SUBSTITUTE and reply.instead_of is None


def _release(places: Places, now: dict[str, Reply]) -> Iterator[str]:
    """Those whose member comes, or is none any more; and who is no substitute any more."""
    for person_id, reply in list(now.items()):
        if reply.instead_of is None:
            continue
        member = now.get(reply.instead_of)
        comes = member is not None and member.answer is Answer.COMING
        if comes or reply.instead_of not in places.members or person_id not in places.substitutes:
            update = {"asked": False, "instead_of": None, "answer": None, "via": None, "comment": None}
            now[person_id] = reply.model_copy(update=update | {"answered_at": None, "reminded_at": None})
            yield person_id


def _without_anybody(places: Places, replies: Mapping[str, Reply]) -> Sequence[str]:
    """Members who cannot come, and in whose place nobody is called."""
    absent = [one for one in places.members if one in replies and replies[one].answer is Answer.ABSENT]
    return [one for one in absent if stand_in(replies, one) is None]


def _is_free(reply: Reply | None) -> bool:
    return reply is None or (reply.instead_of is None and reply.answer is not Answer.ABSENT)


def _called(reply: Reply | None, person_id: str, member: str) -> Reply:
    """What one has said stands: who thought again, or is called to another place in the same breath."""
    kept = reply or Reply(person_id=person_id, role=MemberRole.SUBSTITUTE)
    return kept.model_copy(update={"role": MemberRole.SUBSTITUTE, "asked": True, "instead_of": member})
