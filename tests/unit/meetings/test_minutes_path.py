"""The way of a meeting to its signed minutes: which step is done, which comes now, and where it is done."""

from datetime import UTC, date, datetime

import pytest

from services.meetings.manuscript.forward import Place, places_of
from services.meetings.manuscript.manuscript import Source, begun
from services.meetings.minutes.commands import DraftedVersion
from services.meetings.minutes.minutes import parse_minutes
from services.meetings.pages.minutes_path import STEPS, path_of
from services.meetings.person.person import Person, PersonDetails
from services.meetings.publication.publication import Publication, Status
from services.meetings.review.review import Review, ReviewStatus
from tests.unit.meetings.test_minutes import BODY, FRONT

NOW = datetime(2022, 9, 26, 8, tzinfo=UTC)
DRAFTED = DraftedVersion(
    version=1,
    agreement_id="a" * 44,
    document_name="Protokoll",
    first_paragraph=28,
    last_paragraph=40,
    drafted_at=NOW,
    ended=None,
)
REVIEW = Review(
    id="review-1",
    version=1,
    meeting_id="m",
    body_id="b",
    status=ReviewStatus.OPEN,
    minutes_version=1,
    agreement_id="a" * 44,
    document_name="Protokoll",
    answer_by=date(2022, 10, 3),
    people=("p",),
)
MANUSCRIPT = begun("---\ntitle: A\n---\n## B\n", Source.TEXT)


@pytest.mark.parametrize(
    ("manuscript", "changes", "review", "now", "page"),
    [
        (None, None, None, "sitting", "office_sitting"),
        (MANUSCRIPT, None, None, "forward", "office_manuscript_forward"),
        (MANUSCRIPT, {}, None, "review", "office_review_new"),
        (MANUSCRIPT, {}, REVIEW, "review", "office_review"),
        (MANUSCRIPT, {"version": 2}, REVIEW, "review", "office_review_new"),
        (MANUSCRIPT, {"released_at": NOW}, REVIEW, "sign", "document"),
        (MANUSCRIPT, {"ended": "declined"}, None, "forward", "office_manuscript_forward"),
        (MANUSCRIPT, {"unlocked_at": NOW}, REVIEW, "forward", "office_manuscript_forward"),
        (MANUSCRIPT, {"signed_at": NOW}, None, "publish", "office_publish"),
    ],
)
def test_one_step_comes_now_and_those_before_it_are_done(manuscript, changes, review, now, page) -> None:  # type: ignore[no-untyped-def]
    minutes = [] if changes is None else [DRAFTED.model_copy(update=changes)]
    way = path_of(None, manuscript, minutes, review)
    assert [step.name for step in way] == list(STEPS)
    assert [(step.name, step.page) for step in way if step.state == "now"] == ([(now, page)] if now else [])
    place = STEPS.index(now) if now else len(STEPS)
    assert all((step.state == "done") == (at < place) for at, step in enumerate(way))
    assert not any(step.page for step in way if step.state == "later")


@pytest.mark.parametrize(("status", "now"), [(Status.DRAFT, "publish"), (Status.POSTED, ""), (Status.REMOVED, "")])
def test_nothing_comes_once_the_minutes_were_posted(status: Status, now: str) -> None:
    publication = Publication(
        id="p",
        version=1,
        meeting_id="m",
        body_id="b",
        held_on=date(2022, 9, 23),
        timezone="Europe/Stockholm",
        status=status,
    )
    way = path_of(None, MANUSCRIPT, [DRAFTED.model_copy(update={"signed_at": NOW})], None, publication)
    assert [step.name for step in way if step.state == "now"] == ([now] if now else [])
    assert way[-1].page == "office_publish", "it is corrected and taken down there"


def test_each_whom_the_draft_names_signs_at_the_address_of_the_only_one_of_that_name() -> None:
    front = parse_minutes(FRONT + BODY).front.model_copy(
        update={"secretary": "Maja Lind", "chair": "Olof Berg", "adjusters": ("Sven Dahl", "Eva Falk")}
    )
    people = [
        Person(id=str(n), key=f"k{n}", version=1, details=PersonDetails(name=name, email=email))
        for n, (name, email) in enumerate(
            [
                ("maja  Lind", "maja@norrdalen.example"),
                ("Olof Berg", "olof@norrdalen.example"),
                ("Olof Berg", "berg@norrdalen.example"),
                ("Sven Dahl", None),
                ("Eva Falk", "eva@norrdalen.example"),
            ]
        )
    ]
    assert places_of(front, ("secretary", "chair", "adjuster", "adjuster", "auditor"), people) == (
        Place("secretary", "Maja Lind", "maja@norrdalen.example"),
        Place("chair", "Olof Berg"),
        Place("adjuster", "Sven Dahl"),
        Place("adjuster", "Eva Falk", "eva@norrdalen.example"),
        Place("auditor", ""),
    )
