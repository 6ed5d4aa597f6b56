"""The meetings service's own tables. `organisation` is in every key."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import BigInteger, Boolean, Column, Date, DateTime, Index, Integer, MetaData, Text, text
from sqlalchemy.dialects.postgresql import JSONB, TSVECTOR
from sqlmodel import Field, SQLModel


class MeetingsTable(SQLModel):
    metadata = MetaData()


class MeetingRow(MeetingsTable, table=True):
    """A meeting as it stands. `starts` and `ends` are local wall time as text; `timezone` places them.

    `body_id`: of the body that `body` names, when the register knows it. `plan`, `slot`: which meeting of which plan it
    is, when a plan made it. `reserved` is `meeting.Reserved`. `reason`: why it is cancelled;
    `taken_over_by`: the meeting that took its items, when it was struck.
    """

    __tablename__ = "meeting"
    __table_args__ = (
        Index("meeting_by_start", "organisation", "starts", "id"),
        Index("meeting_by_plan", "organisation", "plan"),
        Index("meeting_of_no_body", "organisation", "body", postgresql_where=text("body_id IS NULL")),
        Index(
            "meeting_taken_over", "organisation", "taken_over_by", postgresql_where=text("taken_over_by IS NOT NULL")
        ),
    )

    organisation: str = Field(sa_column=Column(Text, primary_key=True))
    id: str = Field(sa_column=Column(Text, primary_key=True))
    version: int = Field(sa_column=Column(Integer, nullable=False))
    status: str = Field(sa_column=Column(Text, nullable=False))
    body: str = Field(sa_column=Column(Text, nullable=False))
    body_id: str | None = Field(sa_column=Column(Text, nullable=True))
    title: str = Field(sa_column=Column(Text, nullable=False))
    place: str = Field(sa_column=Column(Text, nullable=False))
    starts: str = Field(sa_column=Column(Text, nullable=False))
    ends: str = Field(sa_column=Column(Text, nullable=False))
    timezone: str = Field(sa_column=Column(Text, nullable=False))
    participants: list[dict[str, Any]] = Field(sa_column=Column(JSONB, nullable=False))
    mode: str | None = Field(sa_column=Column(Text, nullable=True))
    occasion: str = Field(sa_column=Column(Text, nullable=False, server_default="ordinary"))
    reserved: dict[str, Any] | None = Field(sa_column=Column(JSONB(none_as_null=True), nullable=True))
    plan: str | None = Field(sa_column=Column(Text, nullable=True))
    slot: str | None = Field(sa_column=Column(Text, nullable=True))
    reason: str | None = Field(sa_column=Column(Text, nullable=True))
    taken_over_by: str | None = Field(sa_column=Column(Text, nullable=True))


class NumberingRow(MeetingsTable, table=True):
    """The next paragraph number of a body's calendar year. Its row lock keeps the numbers without gap or double.

    `body_key`: what spellings of the body's present name share; a body that is renamed takes its numbers with it.
    """

    __tablename__ = "numbering"

    organisation: str = Field(sa_column=Column(Text, primary_key=True))
    body_key: str = Field(sa_column=Column(Text, primary_key=True))
    year: int = Field(sa_column=Column(Integer, primary_key=True))
    next_paragraph: int | None = Field(sa_column=Column(Integer, nullable=True))


class MinutesRow(MeetingsTable, table=True):
    """A version of the minutes of a meeting: which paragraphs it holds, and its documents by reference.

    `ended`: how the agreement about it ended before everyone had signed, see `minutes.revision`; `signed_at`: when they
    all had. `unlocked_at`: when somebody said that it is to be changed. `source`: the Markdown that it was drafted of,
    by reference. `render_input`, `source`, `signed_at`: None of what was drafted, or signed, before they were kept.
    """

    __tablename__ = "minutes"
    __table_args__ = (Index("minutes_by_agreement", "organisation", "agreement_id", unique=True),)

    organisation: str = Field(sa_column=Column(Text, primary_key=True))
    meeting_id: str = Field(sa_column=Column(Text, primary_key=True))
    version: int = Field(sa_column=Column(Integer, primary_key=True, autoincrement=False, server_default=text("1")))
    agreement_id: str = Field(sa_column=Column(Text, nullable=False))
    document_name: str = Field(sa_column=Column(Text, nullable=False))
    year: int = Field(sa_column=Column(Integer, nullable=False))
    first_paragraph: int = Field(sa_column=Column(Integer, nullable=False))
    last_paragraph: int = Field(sa_column=Column(Integer, nullable=False))
    pdf: dict[str, Any] = Field(sa_column=Column(JSONB, nullable=False))
    drafted_at: datetime = Field(sa_column=Column(DateTime(timezone=True), nullable=False))
    ended: str | None = Field(sa_column=Column(Text, nullable=True))
    render_input: dict[str, Any] | None = Field(sa_column=Column(JSONB(none_as_null=True), nullable=True))
    signed_at: datetime | None = Field(sa_column=Column(DateTime(timezone=True), nullable=True))
    source: dict[str, Any] | None = Field(sa_column=Column(JSONB(none_as_null=True), nullable=True))
    unlocked_at: datetime | None = Field(sa_column=Column(DateTime(timezone=True), nullable=True))


class DecisionRow(MeetingsTable, table=True):
    """A paragraph of minutes that everyone signed; see `decision.Entry`. `words` and `named` are what is searched: the
    stems of its text by the language of the minutes, and the names of those whom the minutes name.

    `body_id`, `body_key`: as of items of the agenda.
    """

    __tablename__ = "decision"
    __table_args__ = (
        Index("decision_by_words", "words", postgresql_using="gin"),
        Index("decision_by_named", "named", postgresql_using="gin"),
        Index("decision_by_day", "organisation", "held_on"),
        Index("decision_by_body", "organisation", "body_id", "held_on"),
    )

    organisation: str = Field(sa_column=Column(Text, primary_key=True))
    meeting_id: str = Field(sa_column=Column(Text, primary_key=True))
    paragraph: int = Field(sa_column=Column(Integer, primary_key=True, autoincrement=False))
    version: int = Field(sa_column=Column(Integer, nullable=False))
    agreement_id: str = Field(sa_column=Column(Text, nullable=False))
    document_name: str = Field(sa_column=Column(Text, nullable=False))
    body_id: str | None = Field(sa_column=Column(Text, nullable=True))
    body: str = Field(sa_column=Column(Text, nullable=False))
    body_key: str = Field(sa_column=Column(Text, nullable=False))
    held_on: date = Field(sa_column=Column(Date, nullable=False))
    language: str = Field(sa_column=Column(Text, nullable=False))
    heading: str = Field(sa_column=Column(Text, nullable=False))
    decision: str = Field(sa_column=Column(Text, nullable=False))
    background: str = Field(sa_column=Column(Text, nullable=False))
    people: list[str] = Field(sa_column=Column(JSONB, nullable=False))
    words: str = Field(sa_column=Column(TSVECTOR, nullable=False))
    named: str = Field(sa_column=Column(TSVECTOR, nullable=False))


class ElectionRow(MeetingsTable, table=True):
    """An election that a version of a meeting's minutes declares, `number` counting from 1; `elections.Elected`.

    `outcome`: None while not everyone has signed; `seated`, or why it was refused then, see `seating`.
    """

    __tablename__ = "election"

    organisation: str = Field(sa_column=Column(Text, primary_key=True))
    meeting_id: str = Field(sa_column=Column(Text, primary_key=True))
    version: int = Field(sa_column=Column(Integer, primary_key=True, autoincrement=False))
    number: int = Field(sa_column=Column(Integer, primary_key=True, autoincrement=False))
    body_id: str = Field(sa_column=Column(Text, nullable=False))
    person_id: str = Field(sa_column=Column(Text, nullable=False))
    elected: dict[str, Any] = Field(sa_column=Column(JSONB, nullable=False))
    outcome: str | None = Field(sa_column=Column(Text, nullable=True))
    membership_id: str | None = Field(sa_column=Column(Text, nullable=True))


class RegisterRow(MeetingsTable, table=True):
    """An organisation's register of bodies and people. `version` counts what was asked of it: its row lock lets one
    change it at a time, so that what must be unique in it, or must fit together, is checked against what stands."""

    __tablename__ = "register"

    organisation: str = Field(sa_column=Column(Text, primary_key=True))
    version: int = Field(sa_column=Column(BigInteger, nullable=False))


class BodyRow(MeetingsTable, table=True):
    """A body as it stands. `name_key` is what spellings of one name share; `rules` are `body.BodyRules`."""

    __tablename__ = "body"
    __table_args__ = (
        Index("body_by_key", "organisation", "key", unique=True),
        Index("body_by_name", "organisation", "name_key", unique=True),
    )

    organisation: str = Field(sa_column=Column(Text, primary_key=True))
    id: str = Field(sa_column=Column(Text, primary_key=True))
    version: int = Field(sa_column=Column(Integer, nullable=False))
    key: str = Field(sa_column=Column(Text, nullable=False))
    name: str = Field(sa_column=Column(Text, nullable=False))
    name_key: str = Field(sa_column=Column(Text, nullable=False))
    kind: str = Field(sa_column=Column(Text, nullable=False))
    rules: dict[str, Any] = Field(sa_column=Column(JSONB, nullable=False))
    closed: date | None = Field(sa_column=Column(Date, nullable=True))


class PersonRow(MeetingsTable, table=True):
    """A person as they stand. `sort_key` orders lists by name; `email_key` is what spellings of one address share."""

    __tablename__ = "person"
    __table_args__ = (
        Index("person_by_key", "organisation", "key", unique=True),
        Index("person_by_email", "organisation", "email_key", unique=True),
        Index("person_by_name", "organisation", "sort_key", "id"),
    )

    organisation: str = Field(sa_column=Column(Text, primary_key=True))
    id: str = Field(sa_column=Column(Text, primary_key=True))
    version: int = Field(sa_column=Column(Integer, nullable=False))
    key: str = Field(sa_column=Column(Text, nullable=False))
    name: str = Field(sa_column=Column(Text, nullable=False))
    sort_key: str = Field(sa_column=Column(Text(collation="C"), nullable=False))
    email: str | None = Field(sa_column=Column(Text, nullable=True))
    email_key: str | None = Field(sa_column=Column(Text, nullable=True))
    language: str = Field(sa_column=Column(Text, nullable=False))
    party: str | None = Field(sa_column=Column(Text, nullable=True))
    municipality: str | None = Field(sa_column=Column(Text, nullable=True))
    page_version: int = Field(sa_column=Column(Integer, nullable=False, server_default=text("1")))


class MembershipRow(MeetingsTable, table=True):
    """A person's place in a body. `place` is a substitute's order; `basis` is `membership.Basis`."""

    __tablename__ = "membership"
    __table_args__ = (
        Index("membership_by_body", "organisation", "body_id"),
        Index("membership_by_person", "organisation", "person_id"),
    )

    organisation: str = Field(sa_column=Column(Text, primary_key=True))
    id: str = Field(sa_column=Column(Text, primary_key=True))
    body_id: str = Field(sa_column=Column(Text, nullable=False))
    person_id: str = Field(sa_column=Column(Text, nullable=False))
    role: str = Field(sa_column=Column(Text, nullable=False))
    place: int | None = Field(sa_column=Column(Integer, nullable=True))
    begins: date | None = Field(sa_column=Column(Date, nullable=True))
    ends: date | None = Field(sa_column=Column(Date, nullable=True))
    basis: dict[str, Any] | None = Field(sa_column=Column(JSONB(none_as_null=True), nullable=True))


class AgendaRow(MeetingsTable, table=True):
    """Whose agenda somebody has written on: it is no longer just the standing items of its body."""

    __tablename__ = "agenda"

    organisation: str = Field(sa_column=Column(Text, primary_key=True))
    meeting_id: str = Field(sa_column=Column(Text, primary_key=True))


class AgendaItemRow(MeetingsTable, table=True):
    """An agenda item. `place` orders those of one meeting; `details` are `agenda.ItemDetails`.

    Without a meeting it waits for one, and is found by its body: by `body_id`; by `body_key`, which spellings of one
    body's name share, where the register did not know the body.
    """

    __tablename__ = "agenda_item"
    __table_args__ = (
        Index("agenda_item_by_meeting", "organisation", "meeting_id", "place"),
        Index("agenda_item_by_body", "organisation", "body_key", postgresql_where=text("meeting_id IS NULL")),
        Index("agenda_item_by_body_id", "organisation", "body_id", postgresql_where=text("meeting_id IS NULL")),
    )

    organisation: str = Field(sa_column=Column(Text, primary_key=True))
    id: str = Field(sa_column=Column(Text, primary_key=True))
    version: int = Field(sa_column=Column(Integer, nullable=False))
    body: str = Field(sa_column=Column(Text, nullable=False))
    body_key: str = Field(sa_column=Column(Text, nullable=False))
    body_id: str | None = Field(sa_column=Column(Text, nullable=True))
    meeting_id: str | None = Field(sa_column=Column(Text, nullable=True))
    place: int = Field(sa_column=Column(Integer, nullable=False))
    standing: bool = Field(sa_column=Column(Boolean, nullable=False))
    details: dict[str, Any] = Field(sa_column=Column(JSONB, nullable=False))


class AgendaStayRow(MeetingsTable, table=True):
    """A meeting that an item left, `number` counting from 1; see `agenda.Stay`."""

    __tablename__ = "agenda_stay"
    __table_args__ = (Index("agenda_stay_by_meeting", "organisation", "meeting_id"),)

    organisation: str = Field(sa_column=Column(Text, primary_key=True))
    item_id: str = Field(sa_column=Column(Text, primary_key=True))
    number: int = Field(sa_column=Column(Integer, primary_key=True, autoincrement=False))
    meeting_id: str = Field(sa_column=Column(Text, nullable=False))
    body: str = Field(sa_column=Column(Text, nullable=False))
    starts: str = Field(sa_column=Column(Text, nullable=False))
    how: str = Field(sa_column=Column(Text, nullable=False))
    reason: str | None = Field(sa_column=Column(Text, nullable=True))
    at: datetime = Field(sa_column=Column(DateTime(timezone=True), nullable=False))
    to_meeting_id: str | None = Field(sa_column=Column(Text, nullable=True))


class AttachmentRow(MeetingsTable, table=True):
    """A file that belongs to an agenda item, as it stands. `place` orders those of one item."""

    __tablename__ = "attachment"
    __table_args__ = (Index("attachment_by_item", "organisation", "item_id", "place"),)

    organisation: str = Field(sa_column=Column(Text, primary_key=True))
    id: str = Field(sa_column=Column(Text, primary_key=True))
    version: int = Field(sa_column=Column(Integer, nullable=False))
    item_id: str = Field(sa_column=Column(Text, nullable=False))
    place: int = Field(sa_column=Column(Integer, nullable=False))
    title: str = Field(sa_column=Column(Text, nullable=False))
    confidential: bool = Field(sa_column=Column(Boolean, nullable=False))


class AttachmentFileRow(MeetingsTable, table=True):
    """A version of an attachment's file, `number` counting from 1. `content` is `BlobRef`.

    `pages`: of one that can be bound into papers; `unbound`: why one cannot that is of a type that could. `late` says
    nothing any more (record 60), and stays while the version before may run beside this one.
    """

    __tablename__ = "attachment_file"

    organisation: str = Field(sa_column=Column(Text, primary_key=True))
    attachment_id: str = Field(sa_column=Column(Text, primary_key=True))
    number: int = Field(sa_column=Column(Integer, primary_key=True, autoincrement=False))
    name: str = Field(sa_column=Column(Text, nullable=False))
    content: dict[str, Any] = Field(sa_column=Column(JSONB, nullable=False))
    late: bool = Field(sa_column=Column(Boolean, nullable=False, server_default=text("false")))
    at: datetime = Field(sa_column=Column(DateTime(timezone=True), nullable=False))
    pages: int | None = Field(sa_column=Column(Integer, nullable=True))
    unbound: str | None = Field(sa_column=Column(Text, nullable=True))


class ProposalRow(MeetingsTable, table=True):
    """What a member wants to be dealt with at a meeting; see `proposal.Proposal`."""

    __tablename__ = "proposal"
    __table_args__ = (Index("proposal_by_meeting", "organisation", "meeting_id", "at"),)

    organisation: str = Field(sa_column=Column(Text, primary_key=True))
    id: str = Field(sa_column=Column(Text, primary_key=True))
    meeting_id: str = Field(sa_column=Column(Text, nullable=False))
    person_id: str = Field(sa_column=Column(Text, nullable=False))
    person: str = Field(sa_column=Column(Text, nullable=False))
    details: dict[str, Any] = Field(sa_column=Column(JSONB, nullable=False))
    status: str = Field(sa_column=Column(Text, nullable=False))
    reason: str | None = Field(sa_column=Column(Text, nullable=True))
    item_id: str | None = Field(sa_column=Column(Text, nullable=True))
    at: datetime = Field(sa_column=Column(DateTime(timezone=True), nullable=False))


class ProposalsUntilRow(MeetingsTable, table=True):
    """The last day on which items are proposed for a meeting, where one was set."""

    __tablename__ = "proposals_until"

    organisation: str = Field(sa_column=Column(Text, primary_key=True))
    meeting_id: str = Field(sa_column=Column(Text, primary_key=True))
    day: date | None = Field(sa_column=Column(Date, nullable=True))


class PapersRow(MeetingsTable, table=True):
    """The papers of a meeting as they were made last. `key`: of what they were made of, see `papers.key_of`."""

    __tablename__ = "papers"

    organisation: str = Field(sa_column=Column(Text, primary_key=True))
    meeting_id: str = Field(sa_column=Column(Text, primary_key=True))
    for_members: bool = Field(sa_column=Column(Boolean, primary_key=True))
    key: str = Field(sa_column=Column(Text, nullable=False))
    pdf: dict[str, Any] = Field(sa_column=Column(JSONB, nullable=False))


class PapersPublicationRow(MeetingsTable, table=True):
    """What people can read of a meeting from a moment on; see `papers.Publication`."""

    __tablename__ = "papers_publication"

    organisation: str = Field(sa_column=Column(Text, primary_key=True))
    meeting_id: str = Field(sa_column=Column(Text, primary_key=True))
    number: int = Field(sa_column=Column(Integer, primary_key=True, autoincrement=False))
    at: datetime = Field(sa_column=Column(DateTime(timezone=True), nullable=False))
    key: str = Field(sa_column=Column(Text, nullable=False))
    papers: dict[str, Any] = Field(sa_column=Column(JSONB, nullable=False))
    for_members: dict[str, Any] = Field(sa_column=Column(JSONB, nullable=False))
    files: list[dict[str, Any]] = Field(sa_column=Column(JSONB, nullable=False))
    late: list[str] = Field(sa_column=Column(JSONB, nullable=False))
    told: bool = Field(sa_column=Column(Boolean, nullable=False))


class NoticeRow(MeetingsTable, table=True):
    """A meeting's notice; see `notice.Notice`. `version` counts the facts that were told of it and of its replies."""

    __tablename__ = "notice"

    organisation: str = Field(sa_column=Column(Text, primary_key=True))
    meeting_id: str = Field(sa_column=Column(Text, primary_key=True))
    version: int = Field(sa_column=Column(Integer, nullable=False, server_default=text("0")))
    stage: str = Field(sa_column=Column(Text, nullable=False, server_default="none"))
    sequence: int = Field(sa_column=Column(Integer, nullable=False, server_default=text("0")))
    approved_at: datetime | None = Field(sa_column=Column(DateTime(timezone=True), nullable=True))
    note: str | None = Field(sa_column=Column(Text, nullable=True))
    issued_at: datetime | None = Field(sa_column=Column(DateTime(timezone=True), nullable=True))
    redated_at: datetime | None = Field(sa_column=Column(DateTime(timezone=True), nullable=True))
    told: dict[str, Any] | None = Field(sa_column=Column(JSONB(none_as_null=True), nullable=True))
    time_since: int = Field(sa_column=Column(Integer, nullable=False, server_default=text("0")))
    at_risk: bool = Field(sa_column=Column(Boolean, nullable=False, server_default=text("false")))


class ReplyRow(MeetingsTable, table=True):
    """Someone who was asked to a meeting, or answered before; see `reply.Reply`."""

    __tablename__ = "reply"
    __table_args__ = (Index("reply_by_person", "organisation", "person_id"),)

    organisation: str = Field(sa_column=Column(Text, primary_key=True))
    meeting_id: str = Field(sa_column=Column(Text, primary_key=True))
    person_id: str = Field(sa_column=Column(Text, primary_key=True))
    role: str = Field(sa_column=Column(Text, nullable=False))
    asked: bool = Field(sa_column=Column(Boolean, nullable=False))
    answer: str | None = Field(sa_column=Column(Text, nullable=True))
    via: str | None = Field(sa_column=Column(Text, nullable=True))
    comment: str | None = Field(sa_column=Column(Text, nullable=True))
    answered_at: datetime | None = Field(sa_column=Column(DateTime(timezone=True), nullable=True))
    instead_of: str | None = Field(sa_column=Column(Text, nullable=True))
    unreached: str | None = Field(sa_column=Column(Text, nullable=True))
    left_empty: bool = Field(sa_column=Column(Boolean, nullable=False, server_default=text("false")))


class DatePollRow(MeetingsTable, table=True):
    """A date poll as it stands; see `poll.Poll`. A meeting has one that is open at most."""

    __tablename__ = "date_poll"
    __table_args__ = (
        Index("date_poll_by_meeting", "organisation", "meeting_id"),
        Index("date_poll_open", "organisation", "meeting_id", unique=True, postgresql_where=text("status = 'open'")),
    )

    organisation: str = Field(sa_column=Column(Text, primary_key=True))
    id: str = Field(sa_column=Column(Text, primary_key=True))
    version: int = Field(sa_column=Column(Integer, nullable=False))
    meeting_id: str = Field(sa_column=Column(Text, nullable=False))
    body_id: str = Field(sa_column=Column(Text, nullable=False))
    status: str = Field(sa_column=Column(Text, nullable=False))
    times: list[dict[str, Any]] = Field(sa_column=Column(JSONB, nullable=False))
    timezone: str = Field(sa_column=Column(Text, nullable=False))
    answer_by: date = Field(sa_column=Column(Date, nullable=False))
    note: str | None = Field(sa_column=Column(Text, nullable=True))
    people: list[str] = Field(sa_column=Column(JSONB, nullable=False))
    chosen: str | None = Field(sa_column=Column(Text, nullable=True))
    reason: str | None = Field(sa_column=Column(Text, nullable=True))
    unreached: dict[str, str] = Field(sa_column=Column(JSONB, nullable=False, server_default=text("'{}'")))


class DatePollAnswerRow(MeetingsTable, table=True):
    """What one person said of a date poll's times; see `poll.PollAnswer`."""

    __tablename__ = "date_poll_answer"

    organisation: str = Field(sa_column=Column(Text, primary_key=True))
    poll_id: str = Field(sa_column=Column(Text, primary_key=True))
    person_id: str = Field(sa_column=Column(Text, primary_key=True))
    times: dict[str, Any] = Field(sa_column=Column(JSONB, nullable=False))
    comment: str | None = Field(sa_column=Column(Text, nullable=True))
    answered_at: datetime = Field(sa_column=Column(DateTime(timezone=True), nullable=False))


class ReviewRow(MeetingsTable, table=True):
    """A review of minutes as it stands; see `review.Review`. A meeting has one that is open at most."""

    __tablename__ = "review"
    __table_args__ = (
        Index("review_by_meeting", "organisation", "meeting_id"),
        Index("review_open", "organisation", "meeting_id", unique=True, postgresql_where=text("status = 'open'")),
    )

    organisation: str = Field(sa_column=Column(Text, primary_key=True))
    id: str = Field(sa_column=Column(Text, primary_key=True))
    version: int = Field(sa_column=Column(Integer, nullable=False))
    meeting_id: str = Field(sa_column=Column(Text, nullable=False))
    body_id: str = Field(sa_column=Column(Text, nullable=False))
    status: str = Field(sa_column=Column(Text, nullable=False))
    minutes_version: int = Field(sa_column=Column(Integer, nullable=False))
    agreement_id: str = Field(sa_column=Column(Text, nullable=False))
    document_name: str = Field(sa_column=Column(Text, nullable=False))
    answer_by: date = Field(sa_column=Column(Date, nullable=False))
    note: str | None = Field(sa_column=Column(Text, nullable=True))
    people: list[str] = Field(sa_column=Column(JSONB, nullable=False))
    agreed: dict[str, int] = Field(sa_column=Column(JSONB, nullable=False))
    reason: str | None = Field(sa_column=Column(Text, nullable=True))


class ReviewCommentRow(MeetingsTable, table=True):
    """What someone said in a review of a paragraph, 0: of the minutes as a whole; see `review.Comment`."""

    __tablename__ = "review_comment"

    organisation: str = Field(sa_column=Column(Text, primary_key=True))
    review_id: str = Field(sa_column=Column(Text, primary_key=True))
    id: str = Field(sa_column=Column(Text, primary_key=True))
    minutes_version: int = Field(sa_column=Column(Integer, nullable=False))
    paragraph: int = Field(sa_column=Column(Integer, nullable=False))
    heading: str = Field(sa_column=Column(Text, nullable=False))
    person_id: str = Field(sa_column=Column(Text, nullable=False))
    text: str = Field(sa_column=Column(Text, nullable=False))
    at: datetime = Field(sa_column=Column(DateTime(timezone=True), nullable=False))
    reply: str | None = Field(sa_column=Column(Text, nullable=True))
    replied_at: datetime | None = Field(sa_column=Column(DateTime(timezone=True), nullable=True))
    settled_at: datetime | None = Field(sa_column=Column(DateTime(timezone=True), nullable=True))


class SittingRow(MeetingsTable, table=True):
    """A meeting's sitting as it stands: the fold of its steps, `sitting.Sitting`. `version`: how many were recorded."""

    __tablename__ = "sitting"

    organisation: str = Field(sa_column=Column(Text, primary_key=True))
    meeting_id: str = Field(sa_column=Column(Text, primary_key=True))
    version: int = Field(sa_column=Column(Integer, nullable=False))
    state: dict[str, Any] = Field(sa_column=Column(JSONB, nullable=False))


class SittingStepRow(MeetingsTable, table=True):
    """What was recorded of a sitting, `number` counting from 1; see `history.Entry`. Rows are never changed."""

    __tablename__ = "sitting_step"
    __table_args__ = (Index("sitting_step_by_key", "organisation", "meeting_id", "key", unique=True),)

    organisation: str = Field(sa_column=Column(Text, primary_key=True))
    meeting_id: str = Field(sa_column=Column(Text, primary_key=True))
    number: int = Field(sa_column=Column(Integer, primary_key=True, autoincrement=False))
    key: str = Field(sa_column=Column(Text, nullable=False))
    step: dict[str, Any] = Field(sa_column=Column(JSONB, nullable=False))
    corrects: int | None = Field(sa_column=Column(Integer, nullable=True))
    after: int | None = Field(sa_column=Column(Integer, nullable=True))
    reason: str | None = Field(sa_column=Column(Text, nullable=True))
    recorded_by: str = Field(sa_column=Column(Text, nullable=False))
    recorded_at: datetime = Field(sa_column=Column(DateTime(timezone=True), nullable=False))


class AnnexFileRow(MeetingsTable, table=True):
    """A file that was handed in for a meeting's minutes; `content` is a blob reference. See `annex.AnnexFile`."""

    __tablename__ = "annex_file"
    __table_args__ = (Index("annex_file_by_meeting", "organisation", "meeting_id"),)

    organisation: str = Field(sa_column=Column(Text, primary_key=True))
    id: str = Field(sa_column=Column(Text, primary_key=True))
    meeting_id: str = Field(sa_column=Column(Text, nullable=False))
    name: str = Field(sa_column=Column(Text, nullable=False))
    content: dict[str, Any] = Field(sa_column=Column(JSONB, nullable=False))
    at: datetime = Field(sa_column=Column(DateTime(timezone=True), nullable=False))


class TaskRow(MeetingsTable, table=True):
    """What a paragraph of signed minutes asks somebody to do; see `task.Task`."""

    __tablename__ = "task"
    __table_args__ = (
        Index("task_by_day", "organisation", "due"),
        Index("task_by_meeting", "organisation", "meeting_id"),
        Index("task_coming_back", "organisation", "back_on", postgresql_where=text("done_at IS NULL")),
    )

    organisation: str = Field(sa_column=Column(Text, primary_key=True))
    id: str = Field(sa_column=Column(Text, primary_key=True))
    version: int = Field(sa_column=Column(Integer, nullable=False))
    meeting_id: str = Field(sa_column=Column(Text, nullable=False))
    paragraph: int = Field(sa_column=Column(Integer, nullable=False))
    heading: str = Field(sa_column=Column(Text, nullable=False))
    held_on: date = Field(sa_column=Column(Date, nullable=False))
    body_id: str = Field(sa_column=Column(Text, nullable=False))
    body: str = Field(sa_column=Column(Text, nullable=False))
    timezone: str = Field(sa_column=Column(Text, nullable=False))
    what: str = Field(sa_column=Column(Text, nullable=False))
    owner_id: str | None = Field(sa_column=Column(Text, nullable=True))
    owner_role: str | None = Field(sa_column=Column(Text, nullable=True))
    due: date = Field(sa_column=Column(Date, nullable=False))
    back_on: str | None = Field(sa_column=Column(Text, nullable=True))
    given_at: datetime = Field(sa_column=Column(DateTime(timezone=True), nullable=False))
    reminded: list[str] = Field(sa_column=Column(JSONB, nullable=False))
    done_at: datetime | None = Field(sa_column=Column(DateTime(timezone=True), nullable=True))
    note: str | None = Field(sa_column=Column(Text, nullable=True))
    item_id: str | None = Field(sa_column=Column(Text, nullable=True))


class LetterheadRow(MeetingsTable, table=True):
    """`letterhead` is `shared.rendering.minutes.Letterhead`."""

    __tablename__ = "letterhead"

    organisation: str = Field(sa_column=Column(Text, primary_key=True))
    letterhead: dict[str, Any] = Field(sa_column=Column(JSONB, nullable=False))


class ManuscriptRow(MeetingsTable, table=True):
    """The minutes of a meeting while they are written: `state` is `manuscript.Manuscript`."""

    __tablename__ = "manuscript"

    organisation: str = Field(sa_column=Column(Text, primary_key=True))
    meeting_id: str = Field(sa_column=Column(Text, primary_key=True))
    state: dict[str, Any] = Field(sa_column=Column(JSONB, nullable=False))


MEETING = MeetingsTable.metadata.tables["meeting"]
NUMBERING = MeetingsTable.metadata.tables["numbering"]
MINUTES = MeetingsTable.metadata.tables["minutes"]
DECISION = MeetingsTable.metadata.tables["decision"]
ELECTION = MeetingsTable.metadata.tables["election"]
REGISTER = MeetingsTable.metadata.tables["register"]
BODY = MeetingsTable.metadata.tables["body"]
PERSON = MeetingsTable.metadata.tables["person"]
MEMBERSHIP = MeetingsTable.metadata.tables["membership"]
AGENDA = MeetingsTable.metadata.tables["agenda"]
AGENDA_ITEM = MeetingsTable.metadata.tables["agenda_item"]
AGENDA_STAY = MeetingsTable.metadata.tables["agenda_stay"]
ATTACHMENT = MeetingsTable.metadata.tables["attachment"]
ATTACHMENT_FILE = MeetingsTable.metadata.tables["attachment_file"]
PROPOSAL = MeetingsTable.metadata.tables["proposal"]
PROPOSALS_UNTIL = MeetingsTable.metadata.tables["proposals_until"]
PAPERS = MeetingsTable.metadata.tables["papers"]
PAPERS_PUBLICATION = MeetingsTable.metadata.tables["papers_publication"]
ANNEX_FILE = MeetingsTable.metadata.tables["annex_file"]
LETTERHEAD = MeetingsTable.metadata.tables["letterhead"]
NOTICE = MeetingsTable.metadata.tables["notice"]
REPLY = MeetingsTable.metadata.tables["reply"]
DATE_POLL = MeetingsTable.metadata.tables["date_poll"]
DATE_POLL_ANSWER = MeetingsTable.metadata.tables["date_poll_answer"]
REVIEW = MeetingsTable.metadata.tables["review"]
REVIEW_COMMENT = MeetingsTable.metadata.tables["review_comment"]
TASK = MeetingsTable.metadata.tables["task"]
SITTING = MeetingsTable.metadata.tables["sitting"]
SITTING_STEP = MeetingsTable.metadata.tables["sitting_step"]
MANUSCRIPT = MeetingsTable.metadata.tables["manuscript"]
