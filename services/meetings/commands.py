"""All that people ask of the meetings service, by aggregate."""

from dataclasses import dataclass

from services.meetings.agenda.commands import AgendaCommands
from services.meetings.annex.commands import AnnexCommands
from services.meetings.attachment.commands import AttachmentCommands
from services.meetings.body.commands import BodyCommands
from services.meetings.decision.commands import DecisionCommands
from services.meetings.letterhead.commands import LetterheadCommands
from services.meetings.manuscript.commands import ManuscriptCommands
from services.meetings.manuscript.forward import ForwardCommands
from services.meetings.meeting.commands import MeetingCommands
from services.meetings.member.queries import MemberQueries
from services.meetings.minutes.adjusting import AdjustCommands
from services.meetings.minutes.commands import MinutesCommands
from services.meetings.minutes.queries import MinutesQueries
from services.meetings.minutes.unlocking import UnlockCommands
from services.meetings.notice.commands import NoticeCommands
from services.meetings.organisation.commands import OrganisationCommands
from services.meetings.papers.commands import PapersCommands
from services.meetings.person.commands import PersonCommands
from services.meetings.plan.commands import PlanCommands
from services.meetings.poll.commands import PollCommands
from services.meetings.proposal.commands import ProposalCommands
from services.meetings.publication.commands import PublicationCommands
from services.meetings.publication.queries import BoardQueries
from services.meetings.register.commands import RegisterCommands
from services.meetings.reply.commands import ReplyCommands
from services.meetings.review.commands import ReviewCommands
from services.meetings.sitting.commands import SittingCommands
from services.meetings.strike.commands import StrikeCommands
from services.meetings.task.commands import TaskCommands
from services.meetings.transaction import MeetingsTransaction
from shared.timers import TimerWorker


@dataclass(frozen=True, slots=True)
class MeetingsCommands:
    """`members`: what they see on their own pages; `board`: what the public sees.

    `timers`: what happens by itself, in a replay when it says so.
    """

    meetings: MeetingCommands
    minutes: MinutesCommands
    versions: MinutesQueries
    decisions: DecisionCommands
    unlocking: UnlockCommands
    adjusting: AdjustCommands
    manuscripts: ManuscriptCommands
    forward: ForwardCommands
    bodies: BodyCommands
    people: PersonCommands
    register: RegisterCommands
    plans: PlanCommands
    agendas: AgendaCommands
    attachments: AttachmentCommands
    annexes: AnnexCommands
    papers: PapersCommands
    letterhead: LetterheadCommands
    proposals: ProposalCommands
    replies: ReplyCommands
    sittings: SittingCommands
    reviews: ReviewCommands
    notices: NoticeCommands
    polls: PollCommands
    strikes: StrikeCommands
    members: MemberQueries
    timers: TimerWorker[MeetingsTransaction]
    tasks: TaskCommands
    publications: PublicationCommands
    board: BoardQueries
    organisations: OrganisationCommands
