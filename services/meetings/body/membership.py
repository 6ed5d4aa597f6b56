"""The rules of memberships: who sits in a body, in which role and order, and for how long. Pure.

A term's last day is still of the term. A term that has run out needs nobody to end it: whether someone sits in a body
is asked for a day.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import date
from enum import StrEnum
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from services.meetings.body.body import Body, BodyRules
from shared.errors import InvalidInput, Refused, says
from shared.events import MembershipBegun, MembershipChanged, MembershipEnded
from shared.text import clean_line

MOST_MEMBERSHIPS = 5000
"""In one body, ended ones among them."""


class MemberRole(StrEnum):
    CHAIR = "chair"
    FIRST_VICE_CHAIR = "first_vice_chair"
    SECOND_VICE_CHAIR = "second_vice_chair"
    MEMBER = "member"
    SUBSTITUTE = "substitute"
    SECRETARY = "secretary"
    CO_OPTED = "co_opted"


MEMBERS = (MemberRole.CHAIR, MemberRole.FIRST_VICE_CHAIR, MemberRole.SECOND_VICE_CHAIR, MemberRole.MEMBER)
"""Who decides; substitutes do in a member's place."""
_HELD_BY_ONE = (MemberRole.CHAIR, MemberRole.FIRST_VICE_CHAIR, MemberRole.SECOND_VICE_CHAIR)
_ELECTED = (*MEMBERS, MemberRole.SUBSTITUTE)


class Basis(BaseModel):
    """The decision that a membership rests on: a paragraph of a body's calendar year."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    body: str
    year: int = Field(ge=1900, le=9999)
    paragraph: int = Field(ge=1, le=99_999)


class Seat(BaseModel):
    """What people say of a membership. `order`: of a substitute, who is called first has 1. `begins`, `ends`: days of
    the term, both included; None is not known, and until further notice."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    person_id: str
    role: MemberRole
    order: int | None = Field(None, ge=1, le=1000)
    begins: date | None = None
    ends: date | None = None
    basis: Basis | None = None

    def stands_on(self, day: date) -> bool:
        return (self.begins is None or self.begins <= day) and (self.ends is None or day <= self.ends)

    def meets(self, other: "Seat") -> bool:
        """Whether their terms have a day in common."""
        starts = max(self.begins or date.min, other.begins or date.min)
        return starts <= min(self.ends or date.max, other.ends or date.max)


class Membership(BaseModel):
    """A person's place in a body."""

    model_config = ConfigDict(frozen=True)

    id: str
    body_id: str
    seat: Seat


def begin(
    body: Body, there: Sequence[Membership], membership_id: str, seat: Seat
) -> tuple[Body, Membership, MembershipBegun]:
    """`there`: all memberships of the body. A substitute without an order comes last. Raises Refused, InvalidInput."""
    if len(there) >= MOST_MEMBERSHIPS:
        raise Refused(
            f"{body.details.name} has {MOST_MEMBERSHIPS} memberships, and takes no more", hint="register another body"
        )
    body, begun, fact = begin_unchecked(body, membership_id, _ordered(seat, there))
    require_fit(begun, there)
    return body, begun, fact


def begin_unchecked(body: Body, membership_id: str, seat: Seat) -> tuple[Body, Membership, MembershipBegun]:
    """For who checks afterwards that all fits together. Raises Refused for a closed body, InvalidInput."""
    body.require_open()
    begun = Membership(id=membership_id, body_id=body.id, seat=_clean(seat))
    return body.stepped(), begun, MembershipBegun(**_event_fields(begun))


def change(
    body: Body, there: Sequence[Membership], membership: Membership, seat: Seat
) -> tuple[Body, Membership, MembershipChanged | None]:
    """No event when nothing changes. The person stays. Raises Refused, InvalidInput."""
    others = [one for one in there if one.id != membership.id]
    body, changed, fact = change_unchecked(body, membership, _ordered(seat, others))
    if fact is not None:
        require_fit(changed, others)
    return body, changed, fact


def change_unchecked(
    body: Body, membership: Membership, seat: Seat
) -> tuple[Body, Membership, MembershipChanged | None]:
    """For who checks afterwards that all fits together. Raises Refused for a closed body, InvalidInput."""
    body.require_open()
    if seat.person_id != membership.seat.person_id:
        raise InvalidInput("person_id: a membership keeps its person", hint="end it, and begin one for the other")
    changed = membership.model_copy(update={"seat": _clean(seat)})
    if changed == membership:
        return body, membership, None
    return body.stepped(), changed, MembershipChanged(**_event_fields(changed))


def end(body: Body, membership: Membership, on: date) -> tuple[Body, Membership | None, MembershipEnded | None]:
    """`on` is the last day. No event for a term that ends by then anyway; None in place of one that had not begun."""
    seat = membership.seat
    if seat.ends is not None and seat.ends <= on:
        return body, membership, None
    ended = membership.model_copy(update={"seat": seat.model_copy(update={"ends": on})})
    stood = seat.begins is None or seat.begins <= on
    return body.stepped(), ended if stood else None, MembershipEnded(**_event_fields(ended))


def require_fit(membership: Membership, others: Iterable[Membership]) -> None:
    """One chair at a time, one place for a person, one substitute for a number. Raises Refused."""
    seat = membership.seat
    for other in others:
        there = other.seat
        if not seat.meets(there):
            continue
        if seat.role is there.role and seat.role in _HELD_BY_ONE:
            raise Refused(
                f"role: the body has a {_said(seat.role)} {_term(there)}",
                hint="end that term first",
                says=says("role_taken", "role", role=seat.role),
            )
        if seat.person_id == there.person_id and is_same_place(seat, there):
            raise Refused(
                f"person_id: the person is {_said(there.role)} of the body {_term(there)} already",
                hint="change that membership, or end it first",
                says=says("sits_already", role=there.role),
            )
        if seat.role is there.role is MemberRole.SUBSTITUTE and seat.order == there.order:
            raise Refused(
                f"order: another substitute has number {seat.order} {_term(there)}",
                hint="give another number, or leave it out to be the last",
                says=says("order_taken", "order", number=seat.order),
            )


def mark_of(seat: Seat) -> str:
    """By which two who change one place at the same time are told apart."""
    return f"{seat.role} {seat.order or 0} {seat.begins} {seat.ends}"


def is_same_place(one: Seat, other: Seat) -> bool:
    """Whether one person cannot have both at once."""
    return one.role is other.role or _both_elected(one, other)


def rivals(memberships: Iterable[Membership]) -> list[list[Membership]]:
    """Groups of those of one body that could be in each other's way: whoever checks these has checked all."""
    groups: dict[tuple[str, str | int | None], list[Membership]] = defaultdict(list)
    for one in memberships:
        groups["person", one.seat.person_id].append(one)
        if one.seat.role in _HELD_BY_ONE:
            groups["role", one.seat.role.value].append(one)
        if one.seat.role is MemberRole.SUBSTITUTE:
            groups["order", one.seat.order].append(one)
    return [group for group in groups.values() if len(group) > 1]


def standing(memberships: Iterable[Membership], day: date) -> list[Membership]:
    """Who sits in the body that day, by role, then by order."""
    roles = list(MemberRole)
    there = [one for one in memberships if one.seat.stands_on(day)]
    return sorted(there, key=lambda one: (roles.index(one.seat.role), one.seat.order or 0, one.id))


def quorum(rules: BodyRules, memberships: Iterable[Membership], day: date) -> int:
    """How many must be there for the body to decide that day: as its rules say, else more than half of its members."""
    if rules.quorum is not None:
        return rules.quorum
    return sum(one.seat.role in MEMBERS for one in standing(memberships, day)) // 2 + 1


def _clean(seat: Seat) -> Seat:
    if seat.begins is not None and seat.ends is not None and seat.ends < seat.begins:
        raise InvalidInput("ends: is before begins", says=says("ends", "to", other_field="from"))
    if seat.order is not None and seat.role is not MemberRole.SUBSTITUTE:
        raise InvalidInput("order: only substitutes have one", says=says("order_role", "order"))
    if seat.basis is not None:
        basis = seat.basis.model_copy(update={"body": clean_line(seat.basis.body, "basis.body")})
        return seat.model_copy(update={"basis": basis})
    return seat


def _ordered(seat: Seat, others: Iterable[Membership]) -> Seat:
    if seat.role is not MemberRole.SUBSTITUTE or seat.order is not None:
        return seat
    taken = [one.seat.order or 0 for one in others if one.seat.role is MemberRole.SUBSTITUTE and seat.meets(one.seat)]
    return seat.model_copy(update={"order": max(taken, default=0) + 1})


def _both_elected(one: Seat, other: Seat) -> bool:
    return one.role in _ELECTED and other.role in _ELECTED


def _said(role: MemberRole) -> str:
    return role.value.replace("_", " ")


def _term(seat: Seat) -> str:
    begins, ends = seat.begins, seat.ends
    return " ".join(filter(None, (f"from {begins}" if begins else "", f"to {ends}" if ends else ""))) or "now"


def _event_fields(membership: Membership) -> dict[str, Any]:
    return {
        "body_id": membership.body_id,
        "membership_id": membership.id,
        **membership.seat.model_dump(mode="json"),
    }
