"""The files that a meeting's minutes may name as annexes: those handed in for them, and those of its agenda. Pure.

What minutes name is kept with them by its content: a file that is replaced or taken away here stays theirs.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from services.meetings.attachment.attachment import Attachment
from services.meetings.attachment.file_type import clean_file_name
from services.meetings.meeting.meeting import Meeting, MeetingStatus
from shared.errors import Refused
from shared.events.base import BlobRef

MOST_ANNEX_FILES = 50
"""Handed in for one meeting's minutes."""


class AnnexFile(BaseModel):
    """A file that was handed in for a meeting's minutes. A meeting has one of a name."""

    model_config = ConfigDict(frozen=True)

    id: str
    meeting_id: str
    name: str = Field(description="of the file, with its ending")
    content: BlobRef
    at: datetime


@dataclass(frozen=True, slots=True)
class MeetingFile:
    """A file that the minutes of a meeting may name. `title`: of an agenda's attachment. `last`: its newest version."""

    id: str
    name: str
    content: BlobRef
    origin: Literal["minutes", "agenda"] = "minutes"
    title: str = ""
    confidential: bool = False
    last: bool = True


def hand_in(
    file_id: str, meeting: Meeting, there: Sequence[AnnexFile], name: str, content: BlobRef, *, now: datetime
) -> AnnexFile:
    """In the place of one of the same name; the same when its content is, too. Raises Refused, InvalidInput."""
    if meeting.status is MeetingStatus.CANCELLED:
        raise Refused("the meeting is called off, and has no minutes", hint="choose a meeting that took place")
    cleaned = clean_file_name(name)
    before = next((one for one in there if one.name.casefold() == cleaned.casefold()), None)
    if before is None and len(there) >= MOST_ANNEX_FILES:
        raise Refused(
            f"the meeting has {MOST_ANNEX_FILES} files for its minutes, and takes no more", hint="take one away first"
        )
    if before is not None and (before.name, before.content.sha256) == (cleaned, content.sha256):
        return before
    return AnnexFile(id=before.id if before else file_id, meeting_id=meeting.id, name=cleaned, content=content, at=now)


def files_of(handed_in: Iterable[AnnexFile], attachments: Iterable[Attachment]) -> list[MeetingFile]:
    """Those handed in for the minutes, then the agenda's, each with its newest version before the others."""
    found = [MeetingFile(one.id, one.name, one.content) for one in handed_in]
    for attachment in attachments:
        found += [
            MeetingFile(
                attachment.id,
                file.name,
                file.content,
                origin="agenda",
                title=attachment.details.title,
                confidential=attachment.details.confidential,
                last=file is attachment.file,
            )
            for file in reversed(attachment.files)
        ]
    return found
