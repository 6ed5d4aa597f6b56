"""The HTTP API of the notice board for those who keep it: thin. What the public reads is in `pages/board.py`."""

from datetime import date, datetime
from typing import Annotated

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel, ConfigDict, Field

from services.meetings.callers import Reader, Secretary
from services.meetings.publication.commands import PublicationCommands
from services.meetings.publication.publication import Posted, Publication, Status
from shared.errors import NotFound
from shared.idempotency import Once
from shared.rendering.public import MOST_MASKS, Mask, Masking
from shared.routes import LazyRoute


class Masks(BaseModel):
    """Names and passages that are not to be read in what is posted."""

    model_config = ConfigDict(extra="forbid")

    masks: tuple[Mask, ...] = Field((), max_length=MOST_MASKS)


Alone = Annotated[
    int | None, Query(ge=1, le=99_999, description="one paragraph that was approved at once; absent: the whole minutes")
]


class MinutesToPost(Masks):
    """`confirmed`: the pin of the preview that a person looked at. `version`: of the publication that they saw."""

    confirmed: str = Field(max_length=100)
    version: int | None = None


class PostingToRemove(BaseModel):
    """`reason`: needed before the time is over for which it is posted. It is not told to the public."""

    model_config = ConfigDict(extra="forbid")

    reason: str | None = Field(None, max_length=4000)
    version: int | None = None


class MinutesPublication(BaseModel):
    """`adjust_by`, `post_by`: last days, by law or statutes; `remove_on`: the first day on which it is no longer there.

    `edition`: above 1 it took the place of one before. What is masked is not told here.
    """

    model_config = ConfigDict(from_attributes=True)

    id: str
    version: int
    meeting_id: str
    paragraph: int | None
    body_id: str
    held_on: date
    status: Status
    adjust_by: date | None
    adjusted_on: date | None
    post_by: date | None
    edition: int
    posted: Posted | None
    posted_at: datetime | None
    posted_on: date | None
    edited_at: datetime | None
    appeal_until: date | None
    remove_on: date | None
    removed_at: datetime | None


def router(commands: PublicationCommands) -> APIRouter:
    routes = APIRouter(tags=["notice board"], route_class=LazyRoute)

    @routes.get("/meetings/{meeting_id}/publication")
    async def get_publication(meeting_id: str, caller: Reader, paragraph: Alone = None) -> MinutesPublication:
        """How far a meeting's minutes are on their way to the notice board, and what their deadlines are."""
        found = await commands.of_meeting(caller.organisation, meeting_id, paragraph=paragraph)
        if found is None:
            raise NotFound("nothing waits for the meeting's minutes yet", hint="ask once they are signed")
        return view(found)

    @routes.post("/meetings/{meeting_id}/publication/preview")
    async def preview_masks(meeting_id: str, masks: Masks, caller: Secretary, paragraph: Alone = None) -> Masking:
        """Where the masks stand in the signed minutes. Nothing is kept. `pin` confirms just these when posting."""
        return await commands.preview(caller.organisation, meeting_id, masks.masks, paragraph=paragraph)

    @routes.post("/meetings/{meeting_id}/publication", response_model=MinutesPublication)
    async def post_minutes(
        meeting_id: str, to_post: MinutesToPost, once: Once, caller: Secretary, paragraph: Alone = None
    ) -> Response:
        """Post signed minutes; of those that are posted, an edition with other masks, in place of the one before."""
        posting = commands.post(
            caller.organisation,
            meeting_id,
            to_post.masks,
            confirmed=to_post.confirmed,
            version=to_post.version,
            paragraph=paragraph,
        )
        return await once.answer(caller, posting, view)

    @routes.post("/meetings/{meeting_id}/publication/remove", response_model=MinutesPublication)
    async def remove_posting(
        meeting_id: str, removal: PostingToRemove, once: Once, caller: Secretary, paragraph: Alone = None
    ) -> Response:
        """Take posted minutes down; nobody can read them there any more."""
        removing = commands.remove(
            caller.organisation, meeting_id, removal.reason, version=removal.version, paragraph=paragraph
        )
        return await once.answer(caller, removing, view)

    def view(found: Publication) -> MinutesPublication:
        return MinutesPublication.model_validate(found)

    return routes
