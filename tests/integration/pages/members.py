"""Members of a board that has met once and meets once more, for the tests of their own pages and of others."""

from datetime import date

from services.meetings.body.body import BodyDetails, BodyKind, BodyRules
from services.meetings.body.membership import MemberRole, Seat
from services.meetings.meeting.meeting import Meeting, MeetingDetails, Mode
from services.meetings.person.person import PersonDetails
from tests.integration.pages.site import Site
from tests.integration.signing.flow import ORGANISATION

DAYS = ("20221202T1300-20221202T1500", "20221209T1300-20221209T1500")
JOIN = "https://mote.norrdalen.example/styrelsen"


async def member(site: Site, name: str, role: MemberRole = MemberRole.MEMBER, ends: date | None = None) -> str:
    """Of the board, which has a digital meeting to come and one that was."""
    commands = site.meetings.commands
    details = PersonDetails(name=name, email=f"{name.split()[0].lower()}@norrdalen.example")
    person = await commands.people.register(ORGANISATION, details)
    bodies = await commands.bodies.bodies(ORGANISATION)
    if not bodies:
        rules = BodyRules(join_link=JOIN)
        board = BodyDetails(name="Styrelsen", kind=BodyKind.BOARD, rules=rules)
        bodies = [await commands.bodies.register(ORGANISATION, board)]
        for day in ("2022-09-23", "2022-11-25"):
            await commands.meetings.schedule(ORGANISATION, board_meeting(day))
    await commands.bodies.begin(ORGANISATION, bodies[0].id, Seat(person_id=person.id, role=role, ends=ends))
    return person.id


def board_meeting(day: str, body: str = "Styrelsen") -> MeetingDetails:
    known = {"body": body, "title": body, "place": "Digitalt", "mode": Mode.DIGITAL}
    return MeetingDetails.model_validate(known | {"starts": f"{day}T13:00", "ends": f"{day}T15:00"})


async def meetings_of(site: Site) -> list[Meeting]:
    return await site.meetings.commands.meetings.of_year(ORGANISATION, 2022)


async def meeting_of(site: Site) -> Meeting:
    found = await site.meetings.commands.meetings.of_year(ORGANISATION, 2022)
    return next(one for one in found if one.details.starts.month == 11)
