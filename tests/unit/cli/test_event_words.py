"""What lines of `justera events` say of meetings: each fact of a notice, an answer, a moved item, a date poll."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.cli.event_words import _WORDS, words_of
from shared.events import (
    BodyChanged,
    BodyClosed,
    DatePollClosed,
    DatePollOpened,
    DatePollUnreached,
    Event,
    ExtractLinkEnded,
    ExtractSent,
    ExtractUnreached,
    ItemMoved,
    ItemProposalReceived,
    ItemProposalSettled,
    MeetingCancelled,
    MeetingScheduled,
    MembershipBegun,
    MembershipEnded,
    MinutesPosted,
    MinutesPostingRemoved,
    NoticeIssued,
    NoticeReminded,
    NoticeUnreached,
    NoticeWithdrawn,
    PapersPublished,
    Person,
    PersonRegistered,
    PlanAdopted,
    ProtocolReleased,
    PublicationDeadlineMissed,
    QuorumAtRisk,
    ReplyReceived,
    ReviewAgreed,
    ReviewClosed,
    ReviewCommented,
    ReviewOpened,
    ReviewUnreached,
    SeatLeftEmpty,
    declared_events,
)
from shared.events.base import BlobRef
from shared.events.meetings import Basis, BodyRules, PlanChange, PlannedMeeting
from shared.events.notices import AskedMember, MeetingInstead
from shared.events.polls import ProposedTime
from shared.events.tasks import TaskDone, TaskDue, TaskGiven, TaskWithdrawn

PEOPLE = (AskedMember(person_id="maja", email="maja@norrdalen.example"),)
PUBLICATION = {"publication_id": "p", "meeting_id": "m", "body_id": "b", "held_on": "2022-09-23"}
PDF = BlobRef(sha256="0" * 64, size=1, media_type="application/pdf")
MEETING = {
    "meeting_id": "m",
    "body_id": "b",
    "body": "Styrelsen",
    "title": "Styrelsen",
    "place": "Forsby",
    "starts": "2022-11-25T13:00",
    "ends": "2022-11-25T15:00",
    "timezone": "Europe/Stockholm",
    "sequence": 1,
    "people": PEOPLE,
}
NORA = Person(email="nora.vik@bjorka.example", name="Nora Vik")
SCHEDULED: dict[str, Any] = {
    "meeting_id": "m",
    "body": "Styrelsen",
    "title": "Styrelsen sammanträder",
    "place": "Forsby",
    "starts": "2022-11-25T13:00",
    "ends": "2022-11-25T15:00",
    "timezone": "Europe/Stockholm",
}
SEAT: dict[str, Any] = {
    "body_id": "b",
    "membership_id": "s",
    "person_id": "maja",
    "role": "substitute",
    "order": 2,
}
PLANNED = PlanChange(
    kind="scheduled",
    meeting=PlannedMeeting(
        meeting_id="m", title="AU", place="Forsby", starts="2022-11-25T13:00", ends="2022-11-25T15:00"
    ),
)
RELEASED = ["Protokoll, version 2"]
EXTRACT: dict[str, Any] = {
    "agreement_id": "a",
    "document_name": "Protokoll",
    "number": 1,
    "paragraph": 32,
    "recipient": NORA,
    "version": 1,
}
PROPOSED = {**MEETING, "proposal_id": "p", "item": "Resor", "person_id": "maja", "name": "Maja Lind"}
TASK: dict[str, Any] = {
    "task_id": "t",
    "meeting_id": "m",
    "paragraph": 32,
    "held_on": "2022-09-23",
    "body_id": "b",
    "body": "Styrelsen",
    "what": "ta fram ett ramverk",
}
REVIEW = {
    "review_id": "r",
    "meeting_id": "m",
    "body_id": "b",
    "agreement_id": "a",
    "document_name": "Protokoll",
    "version": 1,
}
POLL = {"poll_id": "p", "meeting_id": "m", "body_id": "b", "body": "Styrelsen", "title": "Styrelsen"}
TIME = ProposedTime(key="a", starts="2022-11-25T13:00", ends="2022-11-25T15:00")
PAPERS = BlobRef(sha256="0" * 64, size=1)
MOVED = ItemMoved(
    item_id="i",
    title="Uppföljning T2",
    how="moved",
    reason="Krock",
    from_meeting_id="o",
    from_body="Styrelsen",
    from_starts="2022-10-28T13:00",
    to_meeting_id="m",
    to_body="Styrelsen",
    to_starts="2022-11-25T13:00",
)
INSTEAD = MeetingInstead(
    meeting_id="n", title="Styrelsen", place="Forsby", starts="2022-12-09T13:00", ends="2022-12-09T15:00"
)
WAITS = {"how": "referred_back", "reason": None, "to_meeting_id": None, "to_body": None, "to_starts": None}


@pytest.mark.parametrize(
    ("fact", "said"),
    [
        (
            MeetingScheduled(**SCHEDULED),
            ["Styrelsen sammanträder of Styrelsen, 2022-11-25 13:00 to 15:00", "Forsby"],
        ),
        (
            MeetingCancelled(meeting_id="m", body="Styrelsen", title="Extra möte", reason="Krock"),
            ["Extra möte of Styrelsen", "Krock"],
        ),
        (BodyChanged(body_id="b", name="AU", kind="steering_group", rules=BodyRules()), ["AU, steering group"]),
        (BodyClosed(body_id="b", on="2022-12-31"), ["last day 2022-12-31"]),
        (
            MembershipBegun(**SEAT, begins="2023-01-01", basis=Basis(body="Styrelsen", year=2022, paragraph=33)),
            ["maja substitute 2", "2023-01-01/", "by § 33/2022 of Styrelsen"],
        ),
        (MembershipEnded(**SEAT), ["maja substitute 2"]),
        (
            PlanAdopted(body_id="b", plan="p", year=2023, body="AU", changes=(PLANNED, PLANNED), tell=False),
            ["p 2023 of AU, nobody is mailed", "2 scheduled"],
        ),
        (PersonRegistered(person_id="maja", name="Maja Lind"), ["Maja Lind", "no address"]),
        (ProtocolReleased(meeting_id="m", agreement_id="a", document_name="Protokoll", version=2), RELEASED),
        (NoticeIssued(**MEETING, kind="notice"), ["notice of Styrelsen 2022-11-25 13:00 to 1"]),
        (
            NoticeIssued(**MEETING, kind="updated", changes=("time", "place")),
            ["updated of Styrelsen 2022-11-25 13:00 to 1", "changed: time, place"],
        ),
        (NoticeReminded(**MEETING), ["1 asked again about Styrelsen 2022-11-25 13:00"]),
        (NoticeWithdrawn(**MEETING, reason="Krock"), ["called off Styrelsen 2022-11-25 13:00, to 1", "Krock"]),
        (
            NoticeWithdrawn(**MEETING, reason="Krock", taken_over_by=INSTEAD),
            ["called off Styrelsen 2022-11-25 13:00, to 1", "Krock", "its items go to 2022-12-09 13:00"],
        ),
        (
            NoticeWithdrawn(**MEETING, reason="", cancelled=False),
            ["no longer asked to Styrelsen 2022-11-25 13:00, to 1"],
        ),
        (
            PapersPublished(**MEETING, papers=PAPERS, late=("Budget",), told=False),
            ["of Styrelsen 2022-11-25 13:00, nobody is mailed", "late: Budget"],
        ),
        (ReplyReceived(meeting_id="m", person_id="maja", answer="absent", via="page"), ["maja absent by page"]),
        (SeatLeftEmpty(meeting_id="m", person_id="maja"), ["the place of maja"]),
        (
            NoticeUnreached(**MEETING, person_id="nils", name="Nils", email="nils@norrdalen.example", diagnostic="550"),
            ["nils@norrdalen.example about Styrelsen 2022-11-25 13:00", "550"],
        ),
        (
            QuorumAtRisk(**MEETING, needed=4, coming=1, absent=3, unanswered=2),
            ["Styrelsen 2022-11-25 13:00 needs 4: 1 coming, 3 absent, 2 unanswered"],
        ),
        (ItemProposalReceived(**PROPOSED), ["Resor by maja for Styrelsen 2022-11-25 13:00, to 1"]),
        (
            ItemProposalSettled(**PROPOSED, how="taken", item_id="i"),
            ["Resor taken for Styrelsen 2022-11-25 13:00"],
        ),
        (
            ItemProposalSettled(**PROPOSED, how="declined", reason="Senare"),
            ["Resor declined for Styrelsen 2022-11-25 13:00", "Senare"],
        ),
        (MOVED, ["Uppföljning T2: moved from Styrelsen 2022-10-28 to Styrelsen 2022-11-25", "Krock"]),
        (
            MOVED.model_copy(update=WAITS),
            ["Uppföljning T2: referred back from Styrelsen 2022-10-28 and waits"],
        ),
        (
            DatePollOpened(**POLL, timezone="Europe/Stockholm", times=(TIME,), answer_by="2022-11-01", people=PEOPLE),
            ["2022-11-25T13:00 for Styrelsen, to 1 by 2022-11-01"],
        ),
        (DatePollClosed(**POLL, chosen=TIME), ["2022-11-25T13:00 for Styrelsen"]),
        (
            DatePollUnreached(
                **POLL, person_id="n", name="Nils", email="n@a.example", status="5.1.1", diagnostic="550", people=PEOPLE
            ),
            ["n@a.example about Styrelsen", "5.1.1", "550"],
        ),
        (DatePollClosed(**POLL, reason="Krock", people=PEOPLE), ["called off for Styrelsen, to 1", "Krock"]),
        (
            MinutesPosted(
                **PUBLICATION,
                document_name="Protokoll",
                minutes_version=1,
                edition=2,
                masks=3,
                posted_on="2022-09-26",
                appeal_until="2022-10-17",
                remove_on="2022-10-18",
                pdf=PDF,
            ),
            ["Protokoll posted 2022-09-26, until 2022-10-18", "edition 2", "3 masked"],
        ),
        (
            MinutesPostingRemoved(**PUBLICATION, document_name="Protokoll", edition=2, by="timer", is_readable=False),
            ["Protokoll by timer"],
        ),
        (
            PublicationDeadlineMissed(
                **PUBLICATION, deadline="post", due="2022-09-28", body="Styrelsen", people=PEOPLE
            ),
            ["Styrelsen 2022-09-23: to post by 2022-09-28, 1 told"],
        ),
        (
            ReviewOpened(**REVIEW, answer_by="2022-10-14", note="Läs", people=PEOPLE),
            ["Protokoll, to 1 by 2022-10-14", "Läs"],
        ),
        (
            ReviewCommented(**REVIEW, person_id="o", name="Olof Berg", paragraphs=(28, 30)),
            ["Olof Berg on § 28, 30 of Protokoll"],
        ),
        (ReviewCommented(**REVIEW, person_id="o", name="Olof Berg"), ["Olof Berg on the whole of Protokoll"]),
        (
            ReviewAgreed(**REVIEW, person_id="o", name="Olof Berg", waiting_for=1),
            ["Olof Berg to Protokoll, 1 left"],
        ),
        (
            ReviewUnreached(**REVIEW, person_id="nils", name="Nils", email="nils@norrdalen.example", diagnostic="550"),
            ["nils@norrdalen.example about Protokoll", "550"],
        ),
        (ReviewClosed(**REVIEW, outcome="called_off", reason="Fel"), ["Protokoll: called off", "Fel"]),
        (
            ExtractSent(**EXTRACT, sender=NORA, opens_until="2022-12-26T06:55:00.000000Z", timezone="Europe/Stockholm"),
            ["extract 1, § 32 of Protokoll, to nora.vik@bjorka.example", "opens until 2022-12-26"],
        ),
        (ExtractLinkEnded(**EXTRACT), ["extract 1, § 32 of Protokoll, to nora.vik@bjorka.example"]),
        (
            ExtractUnreached(**EXTRACT, sender=NORA, diagnostic="550"),
            ["extract 1, § 32 of Protokoll, to nora.vik@bjorka.example", "550"],
        ),
        (
            TaskGiven(**TASK, owner_role="chair", due="2022-10-20"),
            ["ta fram ett ramverk: chair by 2022-10-20", "§ 32 of Styrelsen 2022-09-23"],
        ),
        (
            TaskGiven(**TASK, owner_role="chair", due="2022-10-20", back_day="2022-11-25"),
            ["ta fram ett ramverk: chair by 2022-10-20", "§ 32 of Styrelsen 2022-09-23", "back on 2022-11-25"],
        ),
        (
            TaskDue(**TASK, reminder="week", due="2022-10-20", people=PEOPLE),
            ["ta fram ett ramverk: within a week, 2022-10-20, to 1", "§ 32 of Styrelsen 2022-09-23"],
        ),
        (TaskDone(**TASK), ["ta fram ett ramverk", "§ 32 of Styrelsen 2022-09-23"]),
        (TaskWithdrawn(**TASK, reason="Fel §"), ["ta fram ett ramverk", "Fel §", "§ 32 of Styrelsen 2022-09-23"]),
    ],
)
def test_what_a_line_says(fact: Event, said: list[str]) -> None:
    assert words_of(type(fact).__name__, json.loads(fact.to_json())) == said


def test_each_fact_of_meetings_but_a_sittings_has_words() -> None:
    extracts = {"ExtractSent", "ExtractLinkEnded", "ExtractUnreached"}
    ours = {one.__name__ for one in declared_events() if one.service == "meetings" and one.topic != "meetings.sitting"}
    assert ours | extracts == set(_WORDS)


JUNK = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
)
FIELDS = st.sampled_from(("people", "changes", "times", "chosen", "late", "starts", "how", "title", "cancelled"))


@given(st.sampled_from(sorted(_WORDS)), JUNK | st.dictionaries(FIELDS, JUNK))
def test_no_body_upsets_it(name: str, body: object) -> None:
    assert all(isinstance(one, str) for one in words_of(name, body))
