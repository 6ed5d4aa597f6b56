"""Paragraph numbers of a body's year on a real database, while several draft and correct at once: no gap, no double."""

import asyncio
import random
from typing import Any

import pytest
from sqlalchemy import text

from services.meetings.meeting.meeting import MeetingDetails
from services.meetings.minutes import commands
from services.meetings.minutes.commands import MinutesCommands
from services.meetings.minutes.drafting import DraftedMinutes, Drafting
from shared.errors import Refused
from shared.service import Service
from tests.integration.meetings.test_meetings import DRAFTING, MEETING, ended, minutes

OURS = "default"
ROUNDS = 4
MEETINGS = 5


def another_process(of: Service) -> MinutesCommands:
    """With turns of its own: only the database stands between the two."""
    there = of.commands.minutes
    return MinutesCommands(there._unit_of_work, there._clock, there._blobs, there._press, there._word_reader)


@pytest.fixture
def slow_setting(monkeypatch: pytest.MonkeyPatch) -> random.Random:
    """Documents take some time to be set, each another, so that those of one body overtake each other."""
    chance = random.Random("numbers")

    async def set_minutes(*_: Any, **__: Any) -> bytes:
        await asyncio.sleep(chance.random() / 20)
        return b"%PDF-1.7"

    monkeypatch.setattr(commands, "set_minutes", set_minutes)
    return chance


async def spans(service: Service) -> tuple[dict[str, list[tuple[int, int]]], int]:
    """Of each meeting its versions' first and last number, the first version first; and the year's next number."""
    async with service.database.transaction() as connection:
        rows = await connection.execute(
            text("SELECT meeting_id, first_paragraph, last_paragraph FROM minutes ORDER BY meeting_id, version")
        )
        found: dict[str, list[tuple[int, int]]] = {}
        for row in rows:
            found.setdefault(row.meeting_id, []).append((row.first_paragraph, row.last_paragraph))
        following = await connection.execute(text("SELECT next_paragraph FROM numbering WHERE year = 2022"))
        return found, int(following.scalar_one())


def check(found: dict[str, list[tuple[int, int]]], following: int) -> None:
    numbers = [n for versions in found.values() for n in range(versions[-1][0], versions[-1][1] + 1)]
    assert sorted(numbers) == list(range(1, following)), (found, following)
    assert all(first == versions[0][0] for versions in found.values() for first, _ in versions), "a version keeps them"


async def test_two_meetings_at_once_and_corrected_versions_leave_no_gap_and_no_double(
    service: Service, slow_setting: random.Random
) -> None:
    processes = (service.commands.minutes, another_process(service))
    meetings = service.commands.meetings
    drafted: dict[str, DraftedMinutes] = {}
    refused, versions = list[str](), 0

    async def draft(meeting_id: str, count: int, by: MinutesCommands) -> None:
        nonlocal versions
        if meeting_id in drafted:
            await ended(service, drafted[meeting_id].agreement_id)
        text = minutes(paragraphs=count)
        try:
            made = await by.draft_minutes(OURS, meeting_id, text, Drafting.model_validate(DRAFTING), ip="192.0.2.1")
        except Refused as error:  # it has later minutes behind it, and another length does not fit
            refused.append(error.message)
            return
        versions += made.version > 1
        drafted[meeting_id] = made

    for _ in range(ROUNDS):
        fresh = [(await meetings.schedule(OURS, MeetingDetails.model_validate(MEETING))).id for _ in range(MEETINGS)]
        corrected = slow_setting.sample(sorted(drafted), min(len(drafted), MEETINGS))
        lengths = {one: drafted[one].last_paragraph - drafted[one].first_paragraph + 1 for one in corrected}
        todo = [(one, slow_setting.randint(1, 4)) for one in fresh]
        todo += [(one, max(1, lengths[one] + slow_setting.choice((-1, 0, 0, 1)))) for one in corrected]
        slow_setting.shuffle(todo)
        await asyncio.gather(*(draft(one, count, slow_setting.choice(processes)) for one, count in todo))
        check(*await spans(service))
    assert len(drafted) == ROUNDS * MEETINGS
    assert refused
    assert all("do not fit" in one for one in refused), refused
    assert versions > MEETINGS


async def test_one_meeting_is_drafted_once_however_many_try_at_once(
    service: Service, slow_setting: random.Random
) -> None:
    meeting = await service.commands.meetings.schedule(OURS, MeetingDetails.model_validate(MEETING))
    processes = [another_process(service) for _ in range(4)]

    async def draft(by: MinutesCommands) -> str:
        try:
            await by.draft_minutes(OURS, meeting.id, minutes(), Drafting.model_validate(DRAFTING), ip="192.0.2.1")
        except Refused as error:
            return error.message
        return "drafted"

    again = "minutes of this meeting have been drafted already"
    assert sorted(await asyncio.gather(*map(draft, processes))) == ["drafted", again, again, again]
    check(*await spans(service))
