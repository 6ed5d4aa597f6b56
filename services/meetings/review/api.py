"""The HTTP API of reviews: thin; the rules are in `review`, the work in `commands`."""

from datetime import date, datetime

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from services.meetings.callers import Reader, Secretary
from services.meetings.review.commands import ReviewCommands, ReviewView
from services.meetings.review.review import MOST_PEOPLE, Comment, Review
from shared.http import CREATED
from shared.idempotency import Once
from shared.routes import LazyRoute
from shared.web import path_for


class NewReview(BaseModel):
    """`people`: the ids of those who are asked. `answer_by`: until when. `note`: a few words to them."""

    model_config = ConfigDict(extra="forbid")

    people: list[str] = Field(min_length=1, max_length=MOST_PEOPLE)
    answer_by: date
    note: str | None = Field(None, max_length=4000)


class CommentAnswer(BaseModel):
    """`reply`: null takes it back."""

    model_config = ConfigDict(extra="forbid")

    reply: str | None = Field(None, max_length=4000)
    settled: bool


class ReviewReason(BaseModel):
    model_config = ConfigDict(extra="forbid")

    reason: str = Field(max_length=4000)


class ReviewerState(BaseModel):
    """Someone who is asked. `agreed`: to the version that is read now; `commented`: on it."""

    person_id: str
    name: str
    agreed: bool
    commented: bool
    unreached: str | None = Field(None, description="what a mail server said of the mail to them")


class ReviewComment(BaseModel):
    """`paragraph`: null where it is about the minutes as a whole. `settled_at`: when it was said to be dealt with."""

    id: str
    minutes_version: int
    paragraph: int | None
    heading: str
    person_id: str
    name: str
    text: str
    at: datetime
    reply: str | None
    settled_at: datetime | None

    @classmethod
    def of(cls, one: Comment, name: str) -> "ReviewComment":
        facts = one.model_dump(exclude={"replied_at", "paragraph"})
        return cls(**facts, paragraph=one.paragraph or None, name=name)


class MinutesReview(BaseModel):
    """A review as it stands: who is asked, and what they said, by paragraph."""

    review: Review
    people: list[ReviewerState]
    comments: list[ReviewComment]

    @classmethod
    def of(cls, view: ReviewView) -> "MinutesReview":
        review = view.review
        return cls(
            review=review,
            people=[
                ReviewerState(
                    person_id=one,
                    name=view.name(one),
                    agreed=one not in review.waiting_for,
                    commented=view.commented(one),
                    unreached=review.unreached.get(one),
                )
                for one in review.people
            ],
            comments=[ReviewComment.of(one, view.name(one.person_id)) for one in view.comments],
        )


class MinutesReviews(BaseModel):
    reviews: list[Review]


def router(commands: ReviewCommands) -> APIRouter:
    routes = APIRouter(tags=["reviews of minutes"], route_class=LazyRoute)

    @routes.post("/meetings/{meeting_id}/reviews", status_code=201, response_model=MinutesReview, responses=CREATED)
    async def open_review(meeting_id: str, new: NewReview, request: Request, once: Once, caller: Secretary) -> Response:
        """Ask people of the body to read the drafted minutes, and to comment or agree, before they are signed."""
        opening = commands.open(caller.organisation, meeting_id, new.people, answer_by=new.answer_by, note=new.note)
        return await once.answer(
            caller,
            opening,
            MinutesReview.of,
            status=201,
            location=lambda made: path_for(request, "get_review", review_id=made.review.id),
        )

    @routes.get("/meetings/{meeting_id}/reviews")
    async def list_reviews(meeting_id: str, caller: Reader) -> MinutesReviews:
        """The reviews of a meeting's minutes, the latest first."""
        return MinutesReviews(reviews=await commands.of_meeting(caller.organisation, meeting_id))

    @routes.get("/reviews/{review_id}")
    async def get_review(review_id: str, caller: Reader) -> MinutesReview:
        """A review, and what was said so far."""
        return MinutesReview.of(await commands.review(caller.organisation, review_id))

    @routes.put("/reviews/{review_id}/comments/{comment_id}")
    async def answer_comment(review_id: str, comment_id: str, given: CommentAnswer, caller: Secretary) -> MinutesReview:
        """Answer a comment, or say that it is dealt with; who made it reads that on their page."""
        return MinutesReview.of(
            await commands.answer(caller.organisation, review_id, comment_id, given.reply, settled=given.settled)
        )

    @routes.post("/reviews/{review_id}/send", response_model=MinutesReview)
    async def send_reviewed_minutes(review_id: str, once: Once, caller: Secretary) -> Response:
        """All agreed to the present version: it is sent to be signed."""
        return await once.answer(caller, commands.send(caller.organisation, review_id), MinutesReview.of)

    @routes.post("/reviews/{review_id}/people/{person_id}/ask-again", response_model=MinutesReview)
    async def ask_reviewer_again(review_id: str, person_id: str, once: Once, caller: Secretary) -> Response:
        """Mail the link again to one whom the mail did not reach, at the address that the register has now."""
        asking = commands.ask_again(caller.organisation, review_id, person_id)
        return await once.answer(caller, asking, MinutesReview.of)

    @routes.post("/reviews/{review_id}/call-off", response_model=MinutesReview)
    async def call_off_review(review_id: str, body: ReviewReason, once: Once, caller: Secretary) -> Response:
        """End the review; those who were asked are told why."""
        return await once.answer(
            caller, commands.call_off(caller.organisation, review_id, body.reason), MinutesReview.of
        )

    return routes
