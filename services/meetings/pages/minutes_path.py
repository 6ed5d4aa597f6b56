"""The way of a meeting to its posted minutes, for one line on its page: what is done, and what comes now. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from services.meetings.manuscript.manuscript import Manuscript
from services.meetings.minutes.commands import DraftedVersion
from services.meetings.publication.publication import Publication, Status
from services.meetings.review.review import Review
from services.meetings.sitting.sitting import Sitting

STEPS = ("sitting", "write", "forward", "review", "sign", "publish")


@dataclass(frozen=True, slots=True)
class Step:
    """`page`: the name of the route where it is done, or looked at; `of`: the id in it, other than the meeting's."""

    name: str
    state: Literal["done", "now", "later"]
    page: str = ""
    of: str = ""


def path_of(
    sitting: Sitting | None,
    manuscript: Manuscript | None,
    minutes: Sequence[DraftedVersion],
    review: Review | None,
    publication: Publication | None = None,
) -> list[Step]:
    """`minutes`: the last version first; `review`: the last one. Nothing comes now once they are
    posted."""
    last = minutes[0] if minutes else None
    stands = last if last and last.ended is None and last.unlocked_at is None else None
    read = review if review and stands and review.minutes_version == stands.version else None
    reached = 0
    if stands is not None and stands.signed_at:
        reached = 5 if publication is None or publication.status is Status.DRAFT else 6
    elif stands is not None:
        reached = 4 if stands.released_at else 3
    elif manuscript is not None:
        reached = 2
    elif sitting is not None and sitting.closed_at:
        reached = 1
    pages = {
        "sitting": ("office_sitting", ""),
        "write": ("office_manuscript", ""),
        "forward": ("office_manuscript_forward" if reached == 2 else "office_manuscript", ""),
        "review": ("office_review", read.id) if read else ("office_review_new", ""),
        "sign": ("document", stands.agreement_id if stands else ""),
        "publish": ("office_publish", ""),
    }
    return [
        Step(
            name,
            "done" if place < reached else "now" if place == reached else "later",
            *(pages[name] if place <= reached else ("", "")),
        )
        for place, name in enumerate(STEPS)
    ]
