"""What notifications does when a plan is adopted: each member is told their dates once, and later what changed."""

from services.notifications.delivery.delivery import Facts, NewDelivery
from services.notifications.letter.languages import language_of
from services.notifications.letter.letter import Purpose, quotable
from services.notifications.letter.plan_words import change_line, meeting_line
from services.notifications.member import mailing
from services.notifications.member import store as members
from services.notifications.transaction import NotificationsTransaction
from shared.events import MembershipBegun, PlanAdopted
from shared.events.meetings import PlanMember
from shared.logging import get_logger
from shared.messaging.inbound import Handlers
from shared.messaging.transaction import Received

log = get_logger(__name__)

_MOST_LINES = 100


async def on_membership_begun(transaction: NotificationsTransaction, received: Received[MembershipBegun]) -> None:
    """From now on they may be mailed about the body's meetings; what was held for them goes out."""
    event, organisation = received.event, received.envelope.organisation
    await members.add_member(transaction.connection, organisation, event.body_id, event.person_id)
    await mailing.let_go(transaction, organisation, event.body_id, event.person_id)


async def on_plan_adopted(transaction: NotificationsTransaction, received: Received[PlanAdopted]) -> None:
    """Whom nothing concerns gets nothing; who is not known as a member of the body neither, whatever the event says."""
    envelope, event = received.envelope, received.event
    if not event.tell:
        return
    connection, organisation = transaction.connection, envelope.organisation
    known = await members.members(connection, organisation, event.body_id)
    told = await members.told(connection, organisation, event.body_id, event.plan)
    newly = []
    for person in event.people:
        if person.person_id not in known:
            log.warning("plan.not_a_member", person_id=person.person_id, event_id=envelope.id)
            continue
        first = person.person_id not in told
        lines = _lines(event, person, first=first)
        if not lines:
            continue
        if first:
            newly.append(person.person_id)
        transaction.send_to_member(_mail(received, person, lines, first=first))
    await members.add_told(connection, organisation, event.body_id, event.plan, newly)


def _lines(event: PlanAdopted, person: PlanMember, *, first: bool) -> list[str]:
    language = language_of(person.language)
    if first:
        mine = set(person.meetings)
        return [meeting_line(one, language) for one in event.meetings if one.meeting_id in mine]
    concerned = set(person.changes)
    return [change_line(one, language) for one in event.changes if one.meeting.meeting_id in concerned]


def _mail(received: Received[PlanAdopted], person: PlanMember, lines: list[str], *, first: bool) -> NewDelivery:
    event = received.event
    facts = Facts(
        language=language_of(person.language),
        document=quotable(f"{event.body} {event.year}", 400),
        sender=None,
        recipient_name=person.name or "",
        lines=tuple(lines[:_MOST_LINES]),
    )
    purpose = Purpose.PLAN_ADOPTED if first else Purpose.PLAN_CHANGED
    return NewDelivery.due_to(received.envelope, event.body_id, purpose, person.email, facts)


EVENT_HANDLERS: Handlers[NotificationsTransaction] = {
    MembershipBegun: on_membership_begun,
    PlanAdopted: on_plan_adopted,
}
