"""An invitation in the inbox's page: what, when and where, in the page's language."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from services.notifications.invitation.invitation import Invitation, Method
from services.notifications.letter.languages import Language
from services.notifications.letter.letter import Person
from services.notifications.pages.inbox import shown

REQUEST = Invitation(
    method=Method.REQUEST,
    uid="01a2235c-37b5-7303-9bfc-e1d05ccd5961",
    sequence=1,
    title="Styrelsen sammanträder",
    place="Forsby",
    starts=datetime(2023, 2, 24, 9),
    ends=datetime(2023, 2, 24, 12),
    timezone="Europe/Stockholm",
    stamp=datetime(2023, 2, 17, 8, tzinfo=UTC),
    organiser=Person("answers@bounces.norrdalen.example", "Norrdalen"),
    attendee=Person("olof.berg@bjorka.example", "Olof Berg"),
)


@pytest.mark.parametrize(
    ("language", "when"),
    [("sv", "Fredag 24 februari 2023 kl. 09:00–12:00"), ("en", "Friday 24 February 2023 09:00–12:00")],
)
def test_it_says_what_when_and_where(language: Language, when: str) -> None:
    found = shown(REQUEST, language)
    assert (found.title, found.when, found.place, found.method) == ("Styrelsen sammanträder", when, "Forsby", "REQUEST")


def test_another_time_zone_is_named() -> None:
    assert shown(replace(REQUEST, timezone="Europe/Helsinki"), "sv").when.endswith("09:00–12:00 (Europe/Helsinki)")


@pytest.mark.parametrize(
    ("changed", "does"),
    [
        ({}, "asked"),
        ({"tentative": True}, "tentative"),
        ({"method": Method.CANCEL}, "cancelled"),
        ({"method": Method.CANCEL, "attendee_only": True}, "released"),
    ],
)
def test_what_a_calendar_does_with_it_is_told(changed: dict[str, object], does: str) -> None:
    assert shown(replace(REQUEST, **changed), "sv").does == does  # type: ignore[arg-type]
