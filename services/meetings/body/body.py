"""The rules of a body: a board, its committee, the congress, a network. Pure.

A body has a key, by which registers and plans speak of it and which never changes, and a name, by which its meetings
and minutes know it.
"""

from collections.abc import Callable
from datetime import date
from enum import StrEnum
from typing import Any
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field

from services.meetings.keys import clean_key
from services.meetings.meeting.meeting import known_timezone
from shared.errors import InvalidInput, Refused, says
from shared.events import BodyChanged, BodyClosed, BodyRegistered
from shared.rendering.minutes import Language
from shared.text import clean_line, clean_name

MOST_STANDING_ITEMS = 50
MOST_SIGNERS = 20
MOST_DAYS = 3650
MOST_YEARS = 100
OWN_DEADLINES = ("adjust_days", "post_days", "posted_days")
"""Rules that a municipality's body has none of: they are the law's."""
WHO_MAY_READ = ("public", "public_archive", "archive_years")
"""Rules that a closed body changes, too: what is public of it must be able to go."""


class BodyKind(StrEnum):
    BOARD = "board"
    COMMITTEE = "committee"  # of a board: arbetsutskott
    CONGRESS = "congress"  # förbundsmöte, årsmöte
    NETWORK = "network"
    STEERING_GROUP = "steering_group"
    AUDITORS = "auditors"


class Substitution(StrEnum):
    """How substitutes are called when a member cannot come."""

    IN_ORDER = "in_order"
    SAME_PARTY = "same_party"  # those of the member's party first, each in order
    NONE = "none"


class Numbering(StrEnum):
    """Where the numbers of paragraphs begin at 1."""

    CALENDAR_YEAR = "calendar_year"
    MEETING = "meeting"


class Annexes(StrEnum):
    """How the files lie with the minutes: in their PDF, or beside it. Each is listed with its SHA-256 either way."""

    BOUND = "bound"
    LISTED = "listed"


class DeadlineProfile(StrEnum):
    """Which law the body's deadlines follow: an association's statutes, or Kommunallagen (2017:725)."""

    ASSOCIATION = "association"
    MUNICIPALITY = "municipality"


class ItemKind(StrEnum):
    INFORMATION = "information"
    DECISION = "decision"
    DISCUSSION = "discussion"
    ELECTION = "election"


class StandingItem(BaseModel):
    """An item that stands on every agenda."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    title: str
    kind: ItemKind = ItemKind.INFORMATION


class BodyRules(BaseModel):
    """How a body works. `quorum`: how many members must be there; None means more than half. `notice_days`: days.

    Where statutes say so, days: `adjust_days` from the meeting until all have signed its minutes, `post_days` from then
    until they are posted, `posted_days` for which they are; None of what nothing says. A municipality's are the law's.
    `public_archive`: minutes whose time on the notice board is over may still be read by anyone; `archive_years`: until
    the end of so many calendar years after that of the meeting, None for good.

    `signers`: roles, in signing order. `join_link`: where its online meetings are joined. `public`: it,
    who sits in it and its meetings are open data (`services/meetings/oparl/`).
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    quorum: int | None = Field(None, ge=1, le=10_000)
    notice_days: int = Field(5, ge=0, le=365)
    substitutes: Substitution = Substitution.IN_ORDER
    numbering: Numbering = Numbering.CALENDAR_YEAR
    annexes: Annexes = Annexes.BOUND
    signers: tuple[str, ...] = Field(("secretary", "chair", "adjuster"), max_length=MOST_SIGNERS)
    deadline_profile: DeadlineProfile = DeadlineProfile.ASSOCIATION
    adjust_days: int | None = Field(None, ge=1, le=MOST_DAYS)
    post_days: int | None = Field(None, ge=0, le=MOST_DAYS)
    posted_days: int | None = Field(None, ge=1, le=MOST_DAYS)
    standing_items: tuple[StandingItem, ...] = Field((), max_length=MOST_STANDING_ITEMS)
    language: Language = "sv"
    timezone: str = "Europe/Stockholm"
    join_link: str | None = Field(None, max_length=2000)
    public: bool = False
    public_archive: bool = False
    archive_years: int | None = Field(None, ge=1, le=MOST_YEARS)


class BodyDetails(BaseModel):
    """What people say of a body."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    kind: BodyKind
    rules: BodyRules = BodyRules()


class Body(BaseModel):
    """A body's state. `version` counts its facts, those of its memberships among them. `closed`: its last day."""

    model_config = ConfigDict(frozen=True)

    id: str
    key: str
    version: int
    details: BodyDetails
    closed: date | None = None

    def require_open(self) -> None:
        """Raises Refused."""
        if self.closed is not None:
            raise Refused(
                f"{self.details.name} was closed on {self.closed}",
                hint="choose a body that is not closed",
                says=says("closed", name=self.details.name, day=self.closed),
            )

    def stepped(self) -> "Body":
        """One fact further."""
        return self.model_copy(update={"version": self.version + 1})


def register(body_id: str, key: str, details: BodyDetails) -> tuple[Body, BodyRegistered]:
    """Raises InvalidInput."""
    body = Body(id=body_id, key=clean_key(key), version=1, details=clean_details(details))
    return body, BodyRegistered(body_id=body_id, **_event_fields(body.details))


def change(body: Body, details: BodyDetails) -> tuple[Body, BodyChanged | None]:
    """No event when nothing changes. Raises Refused for more than `WHO_MAY_READ` of a closed body, InvalidInput."""
    cleaned = clean_details(details)
    if body.closed is not None and cleaned != body.details.model_copy(
        update={"rules": body.details.rules.model_copy(update=who_may_read(cleaned.rules))}
    ):
        raise Refused(
            f"{body.details.name} was closed on {body.closed}",
            hint=f"change only {' and '.join(WHO_MAY_READ)} of it",
            says=says("closed", name=body.details.name, day=body.closed),
        )
    if cleaned == body.details:
        return body, None
    changed = body.stepped().model_copy(update={"details": cleaned})
    return changed, BodyChanged(body_id=body.id, **_event_fields(cleaned))


def who_may_read(rules: BodyRules) -> dict[str, Any]:
    return {name: getattr(rules, name) for name in WHO_MAY_READ}


def close(body: Body, on: date) -> tuple[Body, BodyClosed]:
    """`on` is its last day; the caller ends its memberships first. Raises Refused for one that is closed already."""
    body.require_open()
    closed = body.stepped().model_copy(update={"closed": on})
    return closed, BodyClosed(body_id=body.id, on=on.isoformat())


def clean_details(details: BodyDetails) -> BodyDetails:
    """Raises InvalidInput that names the field."""
    cleaned, wrong = checked_details(details)
    if wrong:
        raise wrong[0]
    return cleaned


def checked_details(details: BodyDetails) -> tuple[BodyDetails, list[InvalidInput]]:
    """In one form, but for the fields that are wrong; and these, each named by what is said of it."""
    rules = details.rules
    wrong = [
        InvalidInput(
            f"{name}: is the law's, for a body of a municipality",
            hint="leave it out, or follow an association's statutes",
            says=says("law_says", name),
        )
        for name in OWN_DEADLINES
        if rules.deadline_profile is DeadlineProfile.MUNICIPALITY and getattr(rules, name) is not None
    ]
    cleaned: dict[str, object] = {}
    named: dict[str, object] = {}
    fields: tuple[tuple[str, dict[str, object], Callable[[], object]], ...] = (
        ("name", named, lambda: clean_line(details.name, "name")),
        ("signers", cleaned, lambda: tuple(clean_name(role) for role in rules.signers)),
        ("standing_items", cleaned, lambda: tuple(map(_clean_item, rules.standing_items))),
        ("timezone", cleaned, lambda: known_timezone(rules.timezone)),
        ("join_link", cleaned, lambda: _web_link(rules.join_link) if rules.join_link else None),
    )
    for field, into, clean in fields:
        try:
            into[field] = clean()
        except InvalidInput as error:
            wrong.append(error)
    return details.model_copy(update={**named, "rules": rules.model_copy(update=cleaned)}), wrong


def _clean_item(item: StandingItem) -> StandingItem:
    return item.model_copy(update={"title": clean_line(item.title, "standing_items")})


def _web_link(link: str) -> str:
    try:
        parts = urlsplit(link)
    except ValueError:
        parts = urlsplit("")
    if parts.scheme != "https" or not parts.hostname or not link.isprintable() or " " in link:
        raise InvalidInput("join_link: is no address", hint="it begins with https://", says=says("link", "join_link"))
    return link


def _event_fields(details: BodyDetails) -> dict[str, Any]:
    return details.model_dump(mode="json", exclude={"rules": {"join_link"}})
