"""The rules of papers (handlingar): what stands in them, who reads what is confidential, what a publication adds. Pure.

There are two: everyone's who is asked to the meeting, and the members', with what is confidential. Papers are made of
what stands on the agenda now; what people read is what was published last, whatever is written since.
"""

import hashlib
import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime

from pydantic import BaseModel, ConfigDict, Field

from services.meetings.agenda.agenda import Item, Stay, require_open
from services.meetings.attachment.attachment import AttachmentShown
from services.meetings.attachment.file_type import BINDABLE
from services.meetings.body.membership import MEMBERS, MemberRole
from services.meetings.meeting.meeting import Meeting
from services.meetings.reply.reply import Reply
from shared import readable
from shared.errors import Refused
from shared.events.base import BlobRef
from shared.plain_text import one_line
from shared.rendering.minutes import Language
from shared.rendering.papers import PapersDocument, PapersFile, PapersItem, Why

MOST_PAGES = 3000
"""That are bound in, of one meeting; files beyond them are listed."""
MOST_BYTES = 48 * 1024 * 1024
"""Of the files that are bound in."""
MOST_PUBLICATIONS = 200
"""Of one meeting."""

_CAME: Mapping[Language, Mapping[str, str]] = {
    "sv": {
        "moved": "Flyttad från {body} {day}",
        "tabled": "Bordlagd av {body} {day}",
        "referred_back": "Återremitterad av {body} {day}",
    },
    "en": {
        "moved": "Moved from {body} {day}",
        "tabled": "Tabled by {body} {day}",
        "referred_back": "Referred back by {body} {day}",
    },
}


class PublishedFile(BaseModel):
    """A file as it was published: which version of which attachment. `item`: the title of what it belongs to."""

    model_config = ConfigDict(frozen=True)

    attachment_id: str
    number: int
    item_id: str
    item: str
    title: str
    name: str
    content: BlobRef
    confidential: bool
    late: bool


class Publication(BaseModel):
    """What people can read from a moment on. `papers`: for everyone who is asked; `for_members`: with all there is.

    `key`: of what both were made of. `late`: titles of what came after the notice and was not published before.
    """

    model_config = ConfigDict(frozen=True)

    number: int
    at: datetime
    key: str
    papers: BlobRef
    for_members: BlobRef
    files: tuple[PublishedFile, ...]
    late: tuple[str, ...] = ()
    told: bool = Field(description="whether people got a mail about it")

    def read_by(self, *, a_member: bool) -> BlobRef:
        return self.for_members if a_member else self.papers

    def files_for(self, *, a_member: bool) -> list[PublishedFile]:
        return [file for file in self.files if a_member or not file.confidential]


def reads_confidential(roles: Collection[MemberRole], reply: Reply | None) -> bool:
    """Members, the secretary, and a substitute who is called in a member's place. `roles`: in the body on the day.

    Not a substitute who waits or has left, nor who is co-opted (adjungerad) or otherwise asked.
    """
    if any(role in (*MEMBERS, MemberRole.SECRETARY) for role in roles):
        return True
    called = reply is not None and reply.asked and reply.instead_of is not None
    return called and MemberRole.SUBSTITUTE in roles


def document_of(
    meeting: Meeting,
    items: Sequence[Item],
    attachments: Mapping[str, Sequence[AttachmentShown]],
    *,
    organisation: str,
    language: Language,
    for_members: bool,
) -> PapersDocument:
    """`items` in order; `attachments` by item. Files are bound in until there are too many pages, or bytes."""
    room = _Room()
    details = meeting.details
    return PapersDocument(
        language=language,
        organisation=organisation,
        body=details.body,
        title=details.title,
        place=details.place,
        starts=details.starts,
        ends=details.ends,
        for_members=for_members,
        items=tuple(
            _item(number, item, attachments.get(item.id, ()), room, language, for_members=for_members)
            for number, item in enumerate(items, start=1)
        ),
    )


def key_of(document: PapersDocument) -> str:
    """What changes when anything does that stands in the papers."""
    canonical = json.dumps(document.model_dump(mode="json"), sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(canonical.encode()).hexdigest()


def publish(
    meeting: Meeting,
    before: Sequence[Publication],
    key: str,
    made: tuple[BlobRef, BlobRef],
    files: Iterable[PublishedFile],
    *,
    told: bool,
    now: datetime,
) -> Publication | None:
    """`made`: everyone's papers and the members'. None when just this was published last. Raises Refused."""
    require_open(meeting, now)
    if before and before[-1].key == key:
        return None
    if len(before) >= MOST_PUBLICATIONS:
        raise Refused(
            f"the papers were published {MOST_PUBLICATIONS} times, and no more",
            hint="send what is new to the people yourself",
        )
    there = tuple(files)
    known = {(file.attachment_id, file.number) for file in before[-1].files} if before else set()
    late = tuple(file.title for file in there if file.late and (file.attachment_id, file.number) not in known)
    everyones, members = made
    number = before[-1].number + 1 if before else 1
    return Publication(
        number=number, at=now, key=key, papers=everyones, for_members=members, files=there, late=late, told=told
    )


def published_files(items: Sequence[Item], attachments: Mapping[str, Sequence[AttachmentShown]]) -> list[PublishedFile]:
    """The last version of each, in the agenda's order."""
    return [
        PublishedFile(
            attachment_id=one.id,
            number=one.file.number,
            item_id=item.id,
            item=item.details.title,
            title=one.details.title,
            name=one.file.name,
            content=one.file.content,
            confidential=one.details.confidential,
            late=one.late,
        )
        for item in items
        for one in attachments.get(item.id, ())
    ]


class _Room:
    """What may still be bound in."""

    def __init__(self) -> None:
        self.pages = MOST_PAGES
        self.bytes = MOST_BYTES

    def take(self, pages: int, size: int) -> bool:
        if pages > self.pages or size > self.bytes:
            return False
        self.pages -= pages
        self.bytes -= size
        return True


def _item(
    number: int,
    item: Item,
    attachments: Sequence[AttachmentShown],
    room: _Room,
    language: Language,
    *,
    for_members: bool,
) -> PapersItem:
    """Files keep their numbers where some are left out."""
    details = item.details
    return PapersItem(
        number=number,
        title=details.title,
        kind=details.kind.value,
        presenter=details.presenter or "",
        minutes=details.minutes,
        came=tuple(_came(stay, language) for stay in item.stays),
        background=_paragraphs(details.background),
        proposal=_paragraphs(details.proposal),
        files=tuple(
            _file(f"{number}.{place}", one, room, language)
            for place, one in enumerate(attachments, start=1)
            if for_members or not one.details.confidential
        ),
    )


def _file(number: str, attachment: AttachmentShown, room: _Room, language: Language) -> PapersFile:
    file = attachment.file
    why: Why | None = file.unbound
    if why is None and (file.pages is None or file.content.media_type not in BINDABLE):
        why = "type"
    if why is None and not room.take(file.pages or 0, file.content.size):
        why = "full"
    return PapersFile(
        number=number,
        title=attachment.details.title,
        name=file.name,
        size=readable.size(file.content.size, language),
        bytes=file.content.size,
        sha256=file.content.sha256,
        media_type=file.content.media_type,
        late=file.late,
        confidential=attachment.details.confidential,
        pages=file.pages if why is None else None,
        why=why,
    )


def _came(stay: Stay, language: Language) -> str:
    """With the reason, which says what was to be prepared better: whoever decides now reads it."""
    said = _CAME[language][stay.how].format(body=stay.body, day=readable.day(stay.starts, language))
    return f"{said}: {one_line(stay.reason)}" if stay.reason else said


def _paragraphs(text: str) -> tuple[str, ...]:
    return tuple(part.strip("\n") for part in text.split("\n\n") if part.strip())
