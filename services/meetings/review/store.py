"""The SQL of reviews and of the comments in them."""

from collections.abc import Collection, Sequence
from typing import Any

from sqlalchemy import bindparam, select
from sqlalchemy.dialects.postgresql import JSONB, insert

from services.meetings.review.review import Comment, Review, ReviewStatus
from services.meetings.review.tables import REVIEW, REVIEW_COMMENT
from shared.errors import NotFound
from shared.messaging.transaction import Transaction

_REVIEWS = select(REVIEW).where(REVIEW.c.organisation == bindparam("organisation"))
_FIND = _REVIEWS.where(REVIEW.c.id == bindparam("id"))
_LOCK = _FIND.with_for_update()
_OF_MEETING = _REVIEWS.where(REVIEW.c.meeting_id == bindparam("meeting_id")).order_by(REVIEW.c.id.desc())
_LAST_OF_BODY = (
    _REVIEWS.where(
        REVIEW.c.body_id == bindparam("body_id"),
        REVIEW.c.meeting_id != bindparam("but_of"),
        REVIEW.c.status != ReviewStatus.CALLED_OFF.value,
    )
    .order_by(REVIEW.c.id.desc())
    .limit(1)
)
_LOCK_OPEN = _REVIEWS.where(
    REVIEW.c.meeting_id == bindparam("meeting_id"), REVIEW.c.status == ReviewStatus.OPEN.value
).with_for_update()
_ASKING = _REVIEWS.where(
    REVIEW.c.status == ReviewStatus.OPEN.value, REVIEW.c.people.contains(bindparam("people", type_=JSONB))
).order_by(REVIEW.c.id)
_MEETINGS = select(REVIEW.c.meeting_id).where(
    REVIEW.c.organisation == bindparam("organisation"), REVIEW.c.id.in_(bindparam("ids", expanding=True))
)
_SAVE = insert(REVIEW)
_SAVE = _SAVE.on_conflict_do_update(index_elements=["organisation", "id"], set_=dict(_SAVE.excluded)).inline()

_COMMENTS = (
    select(REVIEW_COMMENT)
    .where(
        REVIEW_COMMENT.c.organisation == bindparam("organisation"), REVIEW_COMMENT.c.review_id == bindparam("review_id")
    )
    .order_by(REVIEW_COMMENT.c.paragraph, REVIEW_COMMENT.c.at, REVIEW_COMMENT.c.id)
)
_SAVE_COMMENT = insert(REVIEW_COMMENT)
_SAVE_COMMENT = _SAVE_COMMENT.on_conflict_do_update(
    index_elements=["organisation", "review_id", "id"], set_=dict(_SAVE_COMMENT.excluded)
).inline()


class ReviewStore(Transaction):
    async def review(self, organisation: str, review_id: str, *, for_update: bool = False) -> Review:
        """Raises NotFound."""
        key = {"organisation": organisation, "id": review_id}
        row = (await self.connection.execute(_LOCK if for_update else _FIND, key)).one_or_none()
        if row is None:
            raise NotFound(f"there is no review {review_id[:60]}")
        return _review(row)

    async def reviews_of_meeting(self, organisation: str, meeting_id: str) -> list[Review]:
        """The latest first."""
        key = {"organisation": organisation, "meeting_id": meeting_id}
        return [_review(row) for row in await self.connection.execute(_OF_MEETING, key)]

    async def last_review_of_body(self, organisation: str, body_id: str, *, but_of: str) -> Review | None:
        """Of another meeting than `but_of`; one that was called off does not count."""
        key = {"organisation": organisation, "body_id": body_id, "but_of": but_of}
        row = (await self.connection.execute(_LAST_OF_BODY, key)).one_or_none()
        return None if row is None else _review(row)

    async def meetings_of_reviews(self, organisation: str, review_ids: Collection[str]) -> set[str]:
        """Those that are of nothing are left out."""
        key = {"organisation": organisation, "ids": sorted(review_ids)}
        return set((await self.connection.execute(_MEETINGS, key)).scalars())

    async def lock_open_review(self, organisation: str, meeting_id: str) -> Review | None:
        key = {"organisation": organisation, "meeting_id": meeting_id}
        row = (await self.connection.execute(_LOCK_OPEN, key)).one_or_none()
        return None if row is None else _review(row)

    async def reviews_asking(self, organisation: str, person_id: str) -> list[Review]:
        """Those that are open and ask this person."""
        key = {"organisation": organisation, "people": [person_id]}
        return [_review(row) for row in await self.connection.execute(_ASKING, key)]

    async def save_review(self, organisation: str, review: Review) -> None:
        row = {"organisation": organisation, **review.model_dump(), "status": review.status.value}
        await self.connection.execute(_SAVE, {**row, "people": list(review.people)})

    async def review_comments(self, organisation: str, review_id: str) -> list[Comment]:
        """By paragraph, those about the whole first; the oldest first."""
        key = {"organisation": organisation, "review_id": review_id}
        return [_comment(row) for row in await self.connection.execute(_COMMENTS, key)]

    async def save_review_comments(self, organisation: str, review_id: str, comments: Sequence[Comment]) -> None:
        rows = [{"organisation": organisation, "review_id": review_id, **one.model_dump()} for one in comments]
        if rows:
            await self.connection.execute(_SAVE_COMMENT, rows)


def _review(row: Any) -> Review:
    return Review.model_validate({name: getattr(row, name) for name in Review.model_fields})


def _comment(row: Any) -> Comment:
    return Comment.model_validate({name: getattr(row, name) for name in Comment.model_fields})
