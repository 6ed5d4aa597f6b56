"""§ 36 as a member's calendar sees it, and the way back: what the calendar answers, and that a mail did not arrive."""

import icalendar

from services.embedded.replay import Replay, replaying
from services.embedded.scenario import load_scenario
from services.notifications.delivery.delivery import INVITING, UNINVITING, Delivery, Status
from services.notifications.report.simulated_report import Failure, failed_report
from tests.support.calendar_replies import APPLE, filled, in_mail
from tests.support.parts import REPOSITORY
from tests.support.processes import until

SCENARIO = REPOSITORY / "tests/scenarios/a_struck_meeting/scenario.yaml"
OLOF, PETRA = "olof.berg@bjorka.example", "petra.holm@granvik.example"


async def test_calendars_follow_a_struck_meeting_and_what_they_answer_comes_back() -> None:
    async with replaying(load_scenario(SCENARIO)) as replay:
        await replay.run()
        mailed = await deliveries(replay)
        assert {one.status for one in mailed} <= {Status.SENT, Status.WITHDRAWN}
        of_olof = [event_in(replay, one) for one in mailed if one.recipient == OLOF and carries_one(one)]
        calendar: dict[str, icalendar.Event] = {}
        for event in of_olof:  # RFC 5546 section 2.1.5
            known = calendar.get(str(event["UID"]))
            assert known is None or known["SEQUENCE"] < event["SEQUENCE"]
            assert known is None or known["ORGANIZER"] == event["ORGANIZER"]
            calendar[str(event["UID"])] = event
        october, november = sorted(calendar.values(), key=lambda event: event.decoded("DTSTART"))
        assert str(october["STATUS"]) == "CANCELLED"
        assert (str(november["STATUS"]), str(november["LOCATION"])) == ("CONFIRMED", "Digitalt")
        assert f"{november.decoded('DTSTART'):%Y-%m-%d %H:%M}" == "2022-11-25 13:00"
        assert f"{november.decoded('DTEND'):%H:%M}" == "15:30"

        await answer(replay, november)
        reports = replay.system.services["notifications"].commands._reports
        petras = [one for one in mailed if one.recipient == PETRA and one.agreement_id == str(november["UID"])]
        mail = replay.system.services["notifications"].commands._composer.compose(petras[-1])
        await reports.take(failed_report(mail, Failure(), at=petras[-1].created_at), None)

        async def told() -> bool | None:
            found = [one for one in await deliveries(replay) if one.purpose == "notice-unreached"]
            return {one.recipient for one in found} == {OLOF, "maja.lind@norrdalen.example"} or None

        await until(told, what="chair and secretary told of the bounce")


async def answer(replay: Replay, november: icalendar.Event) -> None:
    """Olof's calendar accepts, and meetings knows."""
    organiser = str(november["ORGANIZER"]).removeprefix("mailto:")
    said = {"organiser": organiser, "attendee": OLOF, "uid": str(november["UID"]), "sequence": november["SEQUENCE"]}
    raw = in_mail(filled(APPLE, **said, stamp="20220926T080900Z"), to=organiser)
    await replay.system.services["notifications"].commands._reports.take(raw, None)
    meetings = replay.system.services["meetings"].commands

    async def recorded() -> bool | None:
        asked = await meetings.replies.asked(replay.system.settings.organisation, str(november["UID"]))
        olofs = next(one.reply for one in asked if one.person.details.email == OLOF)
        return (olofs.answer, olofs.via) == ("coming", "calendar") or None

    await until(recorded, what="the calendar's answer")


async def deliveries(replay: Replay) -> list[Delivery]:
    commands = replay.system.services["notifications"].commands
    found: list[Delivery] = await commands.deliveries(replay.system.settings.organisation, most=1000)
    return found


def carries_one(delivery: Delivery) -> bool:
    return delivery.purpose in INVITING | UNINVITING and delivery.status is Status.SENT


def event_in(replay: Replay, delivery: Delivery) -> icalendar.Event:
    """As it was mailed: a mail is composed alike each time."""
    message = replay.system.services["notifications"].commands._composer.compose(delivery).message
    [part] = [one for one in message.walk() if one.get_content_type() == "text/calendar"]
    [event] = icalendar.Calendar.from_ical(part.get_content()).walk("VEVENT")
    assert isinstance(event, icalendar.Event)
    return event
