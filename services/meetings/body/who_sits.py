"""Who sits in which body on a day, and so who is asked to its meetings. Pure."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import date

from services.meetings.body import membership as seats
from services.meetings.body.body import Body
from services.meetings.body.membership import MemberRole, Membership
from services.meetings.meeting.meeting import Meeting, body_key
from services.meetings.person.person import Person
from shared.errors import InvalidInput, says
from shared.events import Person as Invited
from shared.text import email_key


class WhoSits:
    """An organisation's register as it stands, for one piece of work."""

    def __init__(self, bodies: Iterable[Body], memberships: Iterable[Membership], people: Iterable[Person]) -> None:
        self._bodies = {body.key: body for body in bodies}
        self._by_name = {body_key(body.details.name): body for body in self._bodies.values()}
        self._by_id = {body.id: body for body in self._bodies.values()}
        self._people = {person.id: person for person in people}
        self._memberships: dict[str, list[Membership]] = defaultdict(list)
        for membership in memberships:
            self._memberships[membership.body_id].append(membership)

    def body(self, key: str) -> Body:
        """Raises InvalidInput."""
        if key not in self._bodies:
            raise InvalidInput(
                f"there is no body {key}",
                hint="name bodies by their keys, as the register does",
                says=says("no_body", given=key),
            )
        self._bodies[key].require_open()
        return self._bodies[key]

    def named(self, name: str) -> Body | None:
        """The body of that name, however it is spelled."""
        return self._by_name.get(body_key(name))

    def of(self, meeting: Meeting) -> Body | None:
        """The body that meets."""
        return self.named(meeting.details.body) if meeting.body_id is None else self._by_id.get(meeting.body_id)

    def as_called_now(self, meeting: Meeting) -> Meeting:
        """With the present name of its body, where that was renamed since."""
        body = self.of(meeting)
        if body is None or body.details.name == meeting.details.body:
            return meeting
        return meeting.model_copy(update={"details": meeting.details.model_copy(update={"body": body.details.name})})

    def invited(self, body: Body, day: date) -> tuple[Invited, ...]:
        """Whom the body's meetings are for: substitutes come when they are called."""
        return tuple(
            Invited(email=person.details.email, name=person.details.name, language=person.details.language)
            for person in self.sitting(body, day)
            if person.details.email is not None
        )

    def invited_again(self, body: Body, day: date, asked: Sequence[Invited]) -> tuple[Invited, ...]:
        """To a meeting that is changed: those of the body on its new day; whom else it was for, stays."""
        found = self.invited(body, day)
        ever = {self._people[one.seat.person_id].details.email for one in self._memberships[body.id]}
        known = {email_key(email) for email in ever if email}
        return found + tuple(one for one in asked if email_key(one.email) not in known)

    def known(self, body_name: str, day: date, participants: Iterable[Invited]) -> dict[str, str]:
        """Who is at a meeting, with their names: those who were asked, and those of the body who have no address."""
        found = {email_key(one.email): one.name or one.email for one in participants}
        body = self.named(body_name)
        for person in self.sitting(body, day) if body else ():
            if person.details.email is None:
                found[person.id] = person.details.name
        return found

    def sitting(self, body: Body, day: date) -> list[Person]:
        """Substitutes apart."""
        there = seats.standing(self._memberships[body.id], day)
        return [self._people[one.seat.person_id] for one in there if one.seat.role is not MemberRole.SUBSTITUTE]
