"""The rules of a review: chair and adjuster read drafted minutes, and comment or agree, before they are signed. Pure.

A meeting has one open review at most. It follows the minutes from version to version: who agreed to one has not agreed
to the next, and comments stay with the version that they were made on. It ends once: everyone agreed to the present
version and it is sent to be signed, or it is called off.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import date, datetime
from enum import StrEnum
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from services.meetings.minutes.revision import Version
from shared.errors import InvalidInput, NotFound, Refused
from shared.events import ReviewAgreed, ReviewClosed, ReviewCommented, ReviewOpened, ReviewUnreached
from shared.events.notices import AskedMember
from shared.links import LINKS_OPEN
from shared.text import clean_reason

MOST_PEOPLE = 20
MOST_COMMENTS = 300
"""Of one person in one review: a page that can still be read."""
WHOLE = 0
"""Where a comment stands that is about the minutes as a whole, beside the numbers of paragraphs."""


class ReviewStatus(StrEnum):
    OPEN = "open"
    SENT = "sent"
    CALLED_OFF = "called_off"


class Review(BaseModel):
    """A review's state. `version` counts its facts; `minutes_version` is what is read now, of `agreement_id`.

    `people`: the ids of those who are asked. `agreed`: by person, the version of the minutes that they agreed to.
    `answer_by`: until when answers are wanted; later ones are taken while it is open. `unreached`: by person, what a
    mail server said of the mail about this version.
    """

    model_config = ConfigDict(frozen=True)

    id: str
    version: int
    meeting_id: str
    body_id: str
    status: ReviewStatus
    minutes_version: int
    agreement_id: str
    document_name: str
    answer_by: date
    note: str | None = None
    people: tuple[str, ...]
    agreed: dict[str, int] = Field(default_factory=dict)
    reason: str | None = None
    unreached: dict[str, str] = Field(default_factory=dict)

    @property
    def waiting_for(self) -> tuple[str, ...]:
        """Who has not agreed to the present version."""
        return tuple(one for one in self.people if self.agreed.get(one) != self.minutes_version)

    @property
    def is_open(self) -> bool:
        return self.status is ReviewStatus.OPEN

    def require_open(self) -> None:
        """Raises Refused."""
        if self.status is ReviewStatus.SENT:
            raise Refused("the minutes were sent to be signed already", hint="withdraw the document to change them")
        if self.status is ReviewStatus.CALLED_OFF:
            raise Refused("the review was called off", hint="ask anew, if they are to be read")

    def opens(self, day: date) -> bool:
        """Whether those who are asked can still read it: while it is open, and a while after its last day."""
        return self.is_open or day <= self.answer_by + LINKS_OPEN


class Comment(BaseModel):
    """What someone said of a paragraph (`WHOLE`: of the minutes) of a version. `reply`: the secretary's; `settled_at`:
    when they said that it is dealt with."""

    model_config = ConfigDict(frozen=True)

    id: str
    minutes_version: int
    paragraph: int
    heading: str
    person_id: str
    text: str
    at: datetime
    reply: str | None = None
    replied_at: datetime | None = None
    settled_at: datetime | None = None


def open_review(
    review_id: str,
    meeting_id: str,
    body_id: str,
    drafted: Version,
    document_name: str,
    *,
    people: Sequence[str],
    asked: Sequence[AskedMember],
    answer_by: date,
    note: str | None,
    today: date,
) -> tuple[Review, ReviewOpened]:
    """`people`: all who are asked; `asked`: the same, as mails reach them. Raises Refused, InvalidInput."""
    require_draft(drafted)
    wanted = tuple(dict.fromkeys(people))
    if not wanted:
        raise InvalidInput("people: choose at least one to ask")
    if len(wanted) > MOST_PEOPLE:
        raise InvalidInput(f"people: ask {MOST_PEOPLE} at most")
    if {one.person_id for one in asked} != set(wanted):
        raise InvalidInput("people: each needs an e-mail address, since a link is mailed to them")
    if answer_by < today or (answer_by - today).days > 366:
        raise InvalidInput("answer_by: is before today, or more than a year ahead")
    review = Review(
        id=review_id,
        version=1,
        meeting_id=meeting_id,
        body_id=body_id,
        status=ReviewStatus.OPEN,
        minutes_version=drafted.number,
        agreement_id=drafted.agreement_id,
        document_name=document_name,
        answer_by=answer_by,
        note=clean_reason(note) if note and note.strip() else None,
        people=wanted,
    )
    return review, _opened(review, asked, None)


def follow(
    review: Review, drafted: Version, document_name: str, asked: Sequence[AskedMember]
) -> tuple[Review, ReviewOpened]:
    """A later version of the minutes is what is read from now on. Raises Refused."""
    review.require_open()
    if drafted.number <= review.minutes_version:
        raise Refused("that version is not a later one", hint="look at the minutes as they are now")
    update = {
        "version": review.version + 1,
        "minutes_version": drafted.number,
        "agreement_id": drafted.agreement_id,
        "document_name": document_name,
        "unreached": {},
    }
    followed = review.model_copy(update=update)
    return followed, _opened(followed, asked, review.minutes_version)


def comment(
    review: Review,
    person_id: str,
    name: str,
    texts: Mapping[int, str],
    headings: Mapping[int, str],
    *,
    ids: Iterable[str],
    made: int,
    told: Sequence[AskedMember],
    now: datetime,
) -> tuple[Review, list[Comment], ReviewCommented]:
    """`texts`: by paragraph, `WHOLE` for the minutes; `headings`: of the paragraphs that there are; `made`: how many
    comments they have left before. Who comments does not agree, or no longer. Raises Refused, InvalidInput.
    """
    _require_asked(review, person_id)
    said = {number: clean_reason(text) for number, text in sorted(texts.items()) if text.strip()}
    if not said:
        raise InvalidInput("comments: write at least one, or say that you agree")
    if any(number != WHOLE and number not in headings for number in said):
        raise InvalidInput("comments: the minutes have no such paragraph")
    if made + len(said) > MOST_COMMENTS:
        raise Refused(f"there are {MOST_COMMENTS} comments of theirs already", hint="speak with who writes the minutes")
    comments = [
        Comment(
            id=comment_id,
            minutes_version=review.minutes_version,
            paragraph=number,
            heading=headings.get(number, ""),
            person_id=person_id,
            text=text,
            at=now,
        )
        for comment_id, (number, text) in zip(ids, said.items(), strict=False)
    ]
    agreed = {one: version for one, version in review.agreed.items() if one != person_id}
    changed = review.model_copy(update={"version": review.version + 1, "agreed": agreed})
    paragraphs = tuple(number for number in said if number != WHOLE)
    fact = ReviewCommented(**_about(changed), person_id=person_id, name=name, paragraphs=paragraphs, people=tuple(told))
    return changed, comments, fact


def agree(
    review: Review, person_id: str, name: str, seen: int, told: Sequence[AskedMember]
) -> tuple[Review, ReviewAgreed | None]:
    """`seen`: the version of the minutes that they read. No event when they had agreed to it. Raises Refused."""
    _require_asked(review, person_id)
    if seen != review.minutes_version:
        raise Refused("there is a later version of the minutes", hint="read it first")
    if person_id not in review.waiting_for:
        return review, None
    agreed = {**review.agreed, person_id: seen}
    changed = review.model_copy(update={"version": review.version + 1, "agreed": agreed})
    waiting = len(changed.waiting_for)
    people = () if waiting else tuple(told)
    fact = ReviewAgreed(**_about(changed), person_id=person_id, name=name, waiting_for=waiting, people=people)
    return changed, fact


def answer(one: Comment, reply: str | None, *, settled: bool, now: datetime) -> Comment:
    """What the secretary says to a comment, and whether it is dealt with. Raises InvalidInput."""
    said = clean_reason(reply) if reply and reply.strip() else None
    return one.model_copy(
        update={
            "reply": said,
            "replied_at": (one.replied_at if said == one.reply else now) if said else None,
            "settled_at": (one.settled_at or now) if settled else None,
        }
    )


def unreached(
    review: Review, person_id: str, name: str, email: str, said: str, told: Sequence[AskedMember]
) -> tuple[Review, ReviewUnreached]:
    """A mail to someone who is asked did not arrive. `said`: by a mail server, in one line; `told`: who is told."""
    changed = review.model_copy(
        update={"version": review.version + 1, "unreached": {**review.unreached, person_id: said}}
    )
    fact = ReviewUnreached(
        **_about(changed), person_id=person_id, name=name, email=email, diagnostic=said, people=tuple(told)
    )
    return changed, fact


def ask_again(review: Review, asked: AskedMember) -> tuple[Review, ReviewOpened]:
    """The same link once more, to one whom the mail did not reach. Raises NotFound, Refused."""
    _require_asked(review, asked.person_id)
    missing = {one: said for one, said in review.unreached.items() if one != asked.person_id}
    changed = review.model_copy(update={"version": review.version + 1, "unreached": missing})
    return changed, _opened(changed, [asked], None).model_copy(update={"again": True})


def send(review: Review, drafted: Version) -> tuple[Review, ReviewClosed]:
    """All agreed: it is sent to be signed. `drafted`: the last version of the minutes. Raises Refused."""
    review.require_open()
    require_draft(drafted)
    if drafted.number != review.minutes_version:
        raise Refused("there is a later version of the minutes", hint="look at it first")
    if review.waiting_for:
        raise Refused(
            f"{len(review.waiting_for)} of those who were asked have not agreed to this version",
            hint="wait for them, or call the review off and send the document from its own page",
        )
    return _closed(review, ReviewStatus.SENT, None, ())


def call_off(review: Review, reason: str, asked: Sequence[AskedMember]) -> tuple[Review, ReviewClosed]:
    """`asked`: who is told. Raises Refused, InvalidInput."""
    review.require_open()
    return _closed(review, ReviewStatus.CALLED_OFF, clean_reason(reason), asked)


def require_draft(drafted: Version) -> None:
    """Raises Refused for a version that can no longer be sent to be signed."""
    if drafted.signed:
        raise Refused(
            "everyone has signed these minutes: they stand",
            hint="a correction is a matter for the next meeting's minutes",
        )
    if drafted.ended is not None or drafted.unlocked:
        raise Refused("this version is withdrawn", hint="draft the next one first")


def _require_asked(review: Review, person_id: str) -> None:
    if person_id not in review.people:
        raise NotFound("they are not asked")
    review.require_open()


def _closed(
    review: Review, status: ReviewStatus, reason: str | None, people: Collection[AskedMember]
) -> tuple[Review, ReviewClosed]:
    closed = review.model_copy(update={"version": review.version + 1, "status": status, "reason": reason})
    return closed, ReviewClosed(**_about(closed), outcome=status.value, reason=reason, people=tuple(people))


def _opened(review: Review, asked: Sequence[AskedMember], before: int | None) -> ReviewOpened:
    return ReviewOpened(
        **_about(review),
        answer_by=review.answer_by.isoformat(),
        note=review.note if before is None else None,
        before=before,
        people=tuple(asked),
    )


def _about(review: Review) -> dict[str, Any]:
    return {
        "review_id": review.id,
        "meeting_id": review.meeting_id,
        "body_id": review.body_id,
        "agreement_id": review.agreement_id,
        "document_name": review.document_name,
        "version": review.minutes_version,
    }
