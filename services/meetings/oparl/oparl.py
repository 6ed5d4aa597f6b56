"""What of an association is open data, as objects of OParl 1.1 (https://schema.oparl.org/1.1/). Pure.

Whatever stands here is public, and nothing else of ours is: a body only by its rule, who sits in it by name and role
alone, a meeting as people were told of it, and minutes as they are on the notice board.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from enum import StrEnum
from typing import Any
from zoneinfo import ZoneInfo

from services.meetings.body.body import Body
from services.meetings.body.membership import MEMBERS, Membership
from services.meetings.meeting.meeting import Meeting, MeetingStatus
from services.meetings.notice.notice import Told
from services.meetings.oparl.words import KINDS, MINUTES, ROLES
from services.meetings.publication.addresses import archive_of, board_of, posting_of
from shared.events import BlobRef
from shared.rendering.minutes import Language
from shared.rendering.public import Mask, masked_text

# `meet.google.com/abc-defg-hij`, but neither `Rum 3/4` nor `kl. 13/14`: the last label of a host's name begins with a
# letter (RFC 3696 section 2).
_HOST_AND_MORE = re.compile(r"\w\.[^\W\d_][\w-]+(:\d+)?[/?#]\S")

VERSION = "https://schema.oparl.org/1.1/"
Fields = dict[str, Any]


class Kind(StrEnum):
    """Of objects, as they stand in addresses. Each comes behind those that are given inside it."""

    LOCATION = "location"
    MEMBERSHIP = "membership"
    AGENDA_ITEM = "agendaItem"
    FILE = "file"
    PAPER = "paper"
    ORGANIZATION = "organization"
    PERSON = "person"
    MEETING = "meeting"
    BODY = "body"
    SYSTEM = "system"

    @property
    def type(self) -> str:
        """The URL by which OParl knows the kind."""
        return f"{VERSION}{self.value[0].upper()}{self.value[1:]}"


Key = tuple[Kind, str]

LISTED = (
    Kind.ORGANIZATION,
    Kind.PERSON,
    Kind.MEETING,
    Kind.PAPER,
    Kind.MEMBERSHIP,
    Kind.AGENDA_ITEM,
    Kind.FILE,
    Kind.LOCATION,
)
"""What an association has a list of; the list of its bodies is the system's."""

_NAME_OF_LIST = {Kind.LOCATION: "locationList"}  # of the body's field, where it is not the kind's own

NOT_INSIDE: Mapping[Kind, tuple[str, ...]] = {
    Kind.LOCATION: ("meetings",),
    Kind.MEMBERSHIP: ("person",),
    Kind.AGENDA_ITEM: ("meeting",),
    Kind.FILE: ("meeting", "paper"),
}
"""Ways back, which an object has only where it is given by itself."""


@dataclass(frozen=True, slots=True)
class Addresses:
    """Where things are found; neither has a slash at its end. Clients know no address but the system's, `base`.

    `pages`: below it, people read the notice board.
    """

    base: str
    pages: str

    def of(self, kind: Kind, thing_id: str) -> str:
        return self.base if kind is Kind.SYSTEM else f"{self.base}/{kind}/{thing_id}"

    def content_of(self, file_id: str, *, to_keep: bool = False) -> str:
        """Where the bytes of a file are; `to_keep`: as a download, with its name."""
        return f"{self.of(Kind.FILE, file_id)}/{'download' if to_keep else 'content'}"

    def list_of(self, kind: Kind, owner: str | None = None) -> str:
        """All of a kind; of one organization, its meetings."""
        if owner is not None:
            return f"{self.base}/{Kind.ORGANIZATION}/{owner}/{kind}"
        return f"{self.base}/{kind}"

    def page_of(self, page: str) -> str:
        """A page for people, see `publication.addresses`."""
        return f"{self.pages}{page}"


@dataclass(frozen=True, slots=True)
class Published:
    """A meeting's minutes that anyone may read: a title and a PDF without what is masked. `id`: of the publication.

    `paragraph`: of one alone, which was approved before the rest.
    """

    id: str
    title: str
    language: Language
    pdf: BlobRef
    paragraph: int | None = None


@dataclass(frozen=True, slots=True)
class Called:
    """A meeting as it may be known. `told`: what its notice says; None of one without, which was held nevertheless.

    `is_held`: everyone has signed its minutes. `parts`: paragraphs of them alone. `masks`: what is masked in the
    minutes, or in a part of them, stands nowhere else, either.
    """

    meeting: Meeting
    told: Told | None
    is_held: bool
    minutes: Published | None = None
    masks: Sequence[Mask] = ()
    parts: Sequence[Published] = ()


@dataclass(frozen=True, slots=True)
class Scene:
    """What of an association open data could be made of. `bodies`: all of them, by their rule public or not.
    `meetings`: those whose objects are made now.

    `names`: of people, by their id. `today`: by body, the day that it is there.
    """

    organisation: str
    name: str
    license: str | None
    bodies: Sequence[Body]
    memberships: Sequence[Membership]
    names: Mapping[str, str]
    meetings: Sequence[Called]
    today: Mapping[str, date]


@dataclass(frozen=True, slots=True)
class Thing:
    """An object without the times of its making and last change. `owner`: the organization whose list it is in.
    `source`: the meeting that it is made of; None of what the register alone says.

    `part`, `parts`: by field, those that are given inside it: one, or several in order.
    """

    kind: Kind
    id: str
    fields: Fields
    owner: str | None = None
    source: str | None = None
    part: Mapping[str, Key] = field(default_factory=dict)
    parts: Mapping[str, tuple[Key, ...]] = field(default_factory=dict)

    @property
    def key(self) -> Key:
        return self.kind, self.id


def open_things(scene: Scene, addresses: Addresses) -> list[Thing]:
    """All that is public, each behind what is given inside it."""
    public = {body.id: body for body in scene.bodies if body.details.rules.public}
    seats = [
        one
        for one in scene.memberships
        if one.body_id in public and one.seat.person_id in scene.names and one.seat.stands_on(scene.today[one.body_id])
    ]
    meetings = [one for one in scene.meetings if one.meeting.body_id in public and is_known(one)]
    things = [
        *_memberships(seats, public, addresses),
        *_organizations(public.values(), seats, scene, addresses),
        *_people(seats, scene, addresses),
        *(replace(thing, source=one.meeting.id) for one in meetings for thing in _meeting(one, scene, addresses)),
        _body(scene, addresses),
        _system(scene, addresses),
    ]
    order = list(Kind)
    return sorted(things, key=lambda thing: (order.index(thing.kind), thing.id))


def is_known(called: Called) -> bool:
    """Whether people were told of it, or it was held: its minutes are signed, or a part of them is posted."""
    return called.told is not None or (
        (called.is_held or bool(called.parts)) and called.meeting.status is not MeetingStatus.CANCELLED
    )


def _thing(
    kind: Kind,
    thing_id: str,
    addresses: Addresses,
    fields: Fields,
    owner: str | None = None,
    *,
    part: Mapping[str, Key] | None = None,
    parts: Mapping[str, tuple[Key, ...]] | None = None,
) -> Thing:
    """What is not known is left out, as OParl wants it (section 3.1.2)."""
    known = {name: value for name, value in fields.items() if value is not None and value != []}
    whole = {"id": addresses.of(kind, thing_id), "type": kind.type} | known
    there = {name: keys for name, keys in (parts or {}).items() if keys}
    return Thing(kind, thing_id, whole, owner, part=part or {}, parts=there)


def _system(scene: Scene, addresses: Addresses) -> Thing:
    fields = {"oparlVersion": VERSION, "name": scene.name, "license": scene.license}
    fields |= {"web": addresses.page_of(board_of("sv")), "body": addresses.list_of(Kind.BODY)}
    return _thing(Kind.SYSTEM, scene.organisation, addresses, fields)


def _body(scene: Scene, addresses: Addresses) -> Thing:
    """The association. It has no terms: an empty list, since OParl asks for one."""
    lists = {_NAME_OF_LIST.get(kind, kind.value): addresses.list_of(kind) for kind in LISTED}
    fields = {"system": addresses.of(Kind.SYSTEM, ""), "name": scene.name} | lists
    fields |= {"web": addresses.page_of(board_of("sv"))}
    thing = _thing(Kind.BODY, scene.organisation, addresses, fields)
    return replace(thing, fields=thing.fields | {"legislativeTerm": []})


def _organizations(
    bodies: Iterable[Body], seats: Iterable[Membership], scene: Scene, addresses: Addresses
) -> Iterator[Thing]:
    of_body = defaultdict(list)
    for one in sorted(seats, key=lambda one: one.id):
        of_body[one.body_id].append(one)
    for body in bodies:
        members = of_body[body.id]
        fields = {
            "body": addresses.of(Kind.BODY, scene.organisation),
            "name": body.details.name,
            "membership": [addresses.of(Kind.MEMBERSHIP, one.id) for one in members],
            "meeting": addresses.list_of(Kind.MEETING, body.id),
            "organizationType": "Gremium",  # one of the words that OParl names
            "classification": KINDS[body.details.rules.language][body.details.kind],
            "endDate": body.closed.isoformat() if body.closed else None,
            "web": addresses.page_of(_page_of_body(body)),
            "votingMemberCount": sum(one.seat.role in MEMBERS for one in members),
        }
        yield _thing(Kind.ORGANIZATION, body.id, addresses, fields)


def _memberships(seats: Iterable[Membership], bodies: Mapping[str, Body], addresses: Addresses) -> Iterator[Thing]:
    for one in seats:
        seat = one.seat
        fields = {
            "person": addresses.of(Kind.PERSON, seat.person_id),
            "organization": addresses.of(Kind.ORGANIZATION, one.body_id),
            "role": ROLES[bodies[one.body_id].details.rules.language][seat.role],
            "votingRight": seat.role in MEMBERS,
            "startDate": seat.begins.isoformat() if seat.begins else None,
            "endDate": seat.ends.isoformat() if seat.ends else None,
        }
        yield _thing(Kind.MEMBERSHIP, one.id, addresses, fields)


def _people(seats: Iterable[Membership], scene: Scene, addresses: Addresses) -> Iterator[Thing]:
    of_person = defaultdict(list)
    for one in sorted(seats, key=lambda one: one.id):
        of_person[one.seat.person_id].append((Kind.MEMBERSHIP, one.id))
    for person_id, there in of_person.items():
        fields = {"body": addresses.of(Kind.BODY, scene.organisation), "name": scene.names[person_id]}
        yield _thing(Kind.PERSON, person_id, addresses, fields, parts={"membership": tuple(there)})


def _meeting(called: Called, scene: Scene, addresses: Addresses) -> Iterator[Thing]:
    meeting, told = called.meeting, called.told
    of = told or meeting.details
    language: Language = next((one.language for one in (called.minutes, *called.parts) if one is not None), "sv")

    def open_text(text: str) -> str:
        return masked_text(text, called.masks, language)

    zone = ZoneInfo(meeting.details.timezone)
    organization = meeting.body_id or ""
    address = addresses.of(Kind.MEETING, meeting.id)
    items = []
    for number, line in enumerate((told.agenda if told else None) or (), start=1):
        fields = {"meeting": address, "number": str(number), "order": number, "name": open_text(line.title)}
        items.append(_thing(Kind.AGENDA_ITEM, f"{meeting.id}-{number}", addresses, fields, organization))
    yield from items
    part: dict[str, Key] = {}
    if not _is_link(of.place):
        fields = {"description": open_text(of.place), "meetings": [address]}
        yield (place := _thing(Kind.LOCATION, meeting.id, addresses, fields, organization))
        part["location"] = place.key
    if called.minutes is not None:
        file, paper = _minutes(called.minutes, meeting, organization, scene, addresses)
        yield from (file, paper)
        part["resultsProtocol"] = file.key
    alone = []
    for one in called.parts:
        file, paper = _minutes(one, meeting, organization, scene, addresses)
        yield from (file, paper)
        alone.append(file.key)
    cancelled = meeting.status is MeetingStatus.CANCELLED
    fields = {
        "name": open_text(of.title),
        "meetingState": "durchgeführt"
        if (called.is_held or called.parts) and not cancelled
        else "eingeladen",  # OParl's own words
        "cancelled": cancelled,
        "start": _moment(of.starts, zone),
        "end": _moment(of.ends, zone),
        "organization": [addresses.of(Kind.ORGANIZATION, organization)],
        "web": _web(called.minutes, addresses) if called.minutes else None,
    }
    parts = {"agendaItem": tuple(item.key for item in items), "auxiliaryFile": tuple(alone)}
    yield _thing(Kind.MEETING, meeting.id, addresses, fields, organization, part=part, parts=parts)


def _minutes(
    minutes: Published, meeting: Meeting, organization: str, scene: Scene, addresses: Addresses
) -> tuple[Thing, Thing]:
    """Published minutes: the file, and the paper that it is of."""
    day = meeting.details.starts.date().isoformat()
    alone = "" if minutes.paragraph is None else f"-{minutes.paragraph}"
    fields = {
        "name": minutes.title,
        "fileName": f"{MINUTES[minutes.language].lower()}-{day}{alone}.pdf",
        "mimeType": minutes.pdf.media_type,
        "date": day,
        "size": minutes.pdf.size,
        "justera:sha256Checksum": minutes.pdf.sha256,  # OParl has fields for SHA-1 and SHA-512 alone
        "accessUrl": addresses.content_of(minutes.id),
        "downloadUrl": addresses.content_of(minutes.id, to_keep=True),
        "meeting": [addresses.of(Kind.MEETING, meeting.id)],
        "paper": [addresses.of(Kind.PAPER, minutes.id)],
        "web": _web(minutes, addresses),
    }
    file = _thing(Kind.FILE, minutes.id, addresses, fields, organization)
    fields = {
        "body": addresses.of(Kind.BODY, scene.organisation),
        "name": minutes.title,
        "date": day,
        "paperType": MINUTES[minutes.language],
        "originatorOrganization": [addresses.of(Kind.ORGANIZATION, organization)],
        "web": _web(minutes, addresses),
    }
    return file, _thing(Kind.PAPER, minutes.id, addresses, fields, organization, part={"mainFile": file.key})


def _web(minutes: Published, addresses: Addresses) -> str:
    """Where people read them: on the board, or in its archive."""
    return addresses.page_of(posting_of(minutes.id, minutes.language))


def _page_of_body(body: Body) -> str:
    rules = body.details.rules
    if rules.public_archive:
        return f"{archive_of(rules.language)}?body={body.id}"
    return board_of(rules.language)


def _is_link(place: str) -> bool:
    """Where an online meeting is joined is for those who are asked to it: with a scheme, or a host and more."""
    return "://" in place or "www." in place.casefold() or _HOST_AND_MORE.search(place) is not None


def _moment(local: datetime, zone: ZoneInfo) -> str:
    return local.replace(tzinfo=zone).isoformat(timespec="seconds")
