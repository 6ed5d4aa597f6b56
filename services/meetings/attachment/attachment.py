"""The rules of attachments: the files that belong to an agenda item, and their versions. Pure.

An attachment follows its item from agenda to agenda. Its last version is the one that is read; those before stay. Late
is a version that came after the notice of the meeting where the item stands now went out, or should have: nothing of
that is kept, since items move and meetings are moved. Confidential is an attachment for members alone.
"""

from collections.abc import Sequence
from datetime import datetime

from pydantic import BaseModel, ConfigDict, Field

from services.meetings.agenda.agenda import require_open
from services.meetings.attachment.file_type import clean_file_name
from services.meetings.meeting.meeting import Meeting
from shared.errors import Refused, says
from shared.events.base import BlobRef
from shared.rendering.bound import Trouble
from shared.text import clean_line

MOST_ATTACHMENTS = 50
"""Of one item."""
MOST_VERSIONS = 100
"""Of one attachment."""


class AttachmentDetails(BaseModel):
    """What people say of an attachment."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    title: str = Field(max_length=4000)
    confidential: bool = Field(False, description="for the body's members alone")


class FileVersion(BaseModel):
    """A file as it was handed in. `pages`: of one that can be bound into papers.

    `unbound`: why one cannot that is a PDF or an image.
    """

    model_config = ConfigDict(frozen=True)

    number: int
    name: str = Field(description="of the file, with its ending")
    content: BlobRef
    at: datetime
    pages: int | None = None
    unbound: Trouble | None = None


class Attachment(BaseModel):
    """An attachment's state. `version` counts its changes; `files` are the versions of the file, the last one last."""

    model_config = ConfigDict(frozen=True)

    id: str
    version: int
    item_id: str
    details: AttachmentDetails
    files: tuple[FileVersion, ...]

    @property
    def file(self) -> FileVersion:
        return self.files[-1]

    def numbered(self, number: int | None) -> FileVersion | None:
        """None: the last one."""
        return self.file if number is None else next((one for one in self.files if one.number == number), None)


class FileShown(FileVersion):
    """`late`: it came after the notice of the meeting on whose agenda it stands."""

    late: bool


class AttachmentShown(Attachment):
    """As those see it who read the agenda that its item stands on."""

    files: tuple[FileShown, ...]

    @property
    def file(self) -> FileShown:
        return self.files[-1]

    @property
    def late(self) -> bool:
        return self.file.late


def shown(attachment: Attachment, notice_closes: datetime | None) -> AttachmentShown:
    """`notice_closes`: see `notice.closes_at`; None while the item waits for a meeting, when nothing is late."""
    return AttachmentShown(
        **attachment.model_dump(include={"id", "version", "item_id"}),
        details=attachment.details,
        files=tuple(
            FileShown(**(dict(file) | {"late": notice_closes is not None and file.at > notice_closes}))
            for file in attachment.files
        ),
    )


class HandedIn(BaseModel):
    """A file that is stored, and what it was called; see `FileVersion`."""

    model_config = ConfigDict(frozen=True)

    name: str
    content: BlobRef
    pages: int | None = None
    unbound: Trouble | None = None

    def version(self, number: int, at: datetime) -> FileVersion:
        return FileVersion(
            number=number,
            name=clean_file_name(self.name),
            content=self.content,
            at=at,
            pages=self.pages,
            unbound=self.unbound,
        )


def add(
    attachment_id: str,
    item_id: str,
    meeting: Meeting | None,
    there: Sequence[Attachment],
    details: AttachmentDetails,
    file: HandedIn,
    now: datetime,
) -> Attachment:
    """`meeting`: where the item stands; `there`: what it has already. Raises Refused, InvalidInput."""
    if meeting is not None:
        require_open(meeting, now)
    if len(there) >= MOST_ATTACHMENTS:
        raise Refused(
            f"the item has {MOST_ATTACHMENTS} attachments, and takes no more",
            hint="remove one that is not needed, or put several into one file",
            says=says("attachments_full", most=MOST_ATTACHMENTS),
        )
    first = file.version(1, now)
    return Attachment(id=attachment_id, version=1, item_id=item_id, details=clean_details(details), files=(first,))


def sent_again(there: Sequence[Attachment], file: HandedIn, *, confidential: bool) -> Attachment | None:
    """The one that this file is already, under the same name: a request that is sent twice adds one attachment.

    Raises Refused for one that others read than was asked for: who hands in a secret must not believe it is kept.
    """
    found = [one for one in there if _same(one.file, file)]
    alike = next((one for one in found if one.details.confidential == confidential), None)
    if alike is None and found:
        how = "for everyone" if confidential else "confidential"
        raise Refused(
            f"{clean_file_name(file.name)} is attached to the item already, and is {how}",
            hint="change whether that attachment is confidential",
        )
    return alike


def replace(attachment: Attachment, meeting: Meeting | None, file: HandedIn, now: datetime) -> Attachment:
    """A new version of the file; the same attachment when it is the last one. Raises Refused, InvalidInput."""
    if meeting is not None:
        require_open(meeting, now)
    if _same(attachment.file, file):
        return attachment
    if len(attachment.files) >= MOST_VERSIONS:
        raise Refused(
            f"the attachment has {MOST_VERSIONS} versions, and takes no more", hint="add the file as another attachment"
        )
    newest = file.version(attachment.file.number + 1, now)
    return attachment.model_copy(update={"version": attachment.version + 1, "files": (*attachment.files, newest)})


def change(attachment: Attachment, meeting: Meeting | None, details: AttachmentDetails, now: datetime) -> Attachment:
    """The same attachment when nothing changes. Raises Refused, InvalidInput."""
    if meeting is not None:
        require_open(meeting, now)
    cleaned = clean_details(details)
    if cleaned == attachment.details:
        return attachment
    return attachment.model_copy(update={"version": attachment.version + 1, "details": cleaned})


def clean_details(details: AttachmentDetails) -> AttachmentDetails:
    """Raises InvalidInput that names the field."""
    return details.model_copy(update={"title": clean_line(details.title, "title")})


def title_of(name: str) -> str:
    """What an attachment is called when nobody said: its file's name, without the ending."""
    stem, dot, _ = name.rpartition(".")
    return stem if dot and stem.strip() else name


def _same(there: FileVersion, file: HandedIn) -> bool:
    return (there.content.sha256, there.name) == (file.content.sha256, clean_file_name(file.name))
