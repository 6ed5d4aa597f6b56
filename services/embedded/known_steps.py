"""All steps of a board's year in a scenario, by their names.

A further one is a model in the file of its subject (`year_steps`, `sitting_steps`, `minutes_steps`), with a line here,
and an action of the same name in the class that drives that subject (`year`, `year_members`, `year_sitting`,
`year_minutes`).
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from services.embedded import minutes_steps, sitting_steps, year_steps
from services.embedded.fields import mapping
from services.embedded.step_base import YearStep

YEAR_STEPS: Mapping[str, type[YearStep]] = {
    "register": year_steps.Register,
    "plan": year_steps.Plan,
    "close_body": year_steps.CloseBody,
    "schedule_meeting": year_steps.ScheduleMeeting,
    "change_meeting": year_steps.ChangeMeeting,
    "cancel_meeting": year_steps.CancelMeeting,
    "add_items": year_steps.AddItems,
    "change_item": year_steps.ChangeItem,
    "remove_items": year_steps.RemoveItems,
    "order_items": year_steps.OrderItems,
    "move_items": year_steps.MoveItems,
    "notice": year_steps.Notice,
    "remind_unanswered": year_steps.RemindUnanswered,
    "timers": year_steps.Timers,
    "reply": year_steps.Reply,
    "calendar_reply": year_steps.CalendarReply,
    "open_poll": year_steps.OpenPoll,
    "answer_poll": year_steps.AnswerPoll,
    "choose_date": year_steps.ChooseDate,
    "call_off_poll": year_steps.CallOffPoll,
    "attach": year_steps.Attach,
    "replace_file": year_steps.ReplaceFile,
    "publish_papers": year_steps.PublishPapers,
    "propose_item": year_steps.ProposeItem,
    "take_proposal": year_steps.TakeProposal,
    "decline_proposal": year_steps.DeclineProposal,
    "strike": year_steps.StrikeMeeting,
    "deliver_all": year_steps.DeliverAll,
    "open_sitting": sitting_steps.OpenSitting,
    "record": sitting_steps.Record,
    "write_minutes": minutes_steps.WriteMinutes,
    "edit_minutes": minutes_steps.EditMinutes,
    "add_paragraph": minutes_steps.AddParagraph,
    "edit_fields": minutes_steps.EditFields,
    "open_review": minutes_steps.OpenReview,
    "comment_minutes": minutes_steps.CommentMinutes,
    "agree_to_minutes": minutes_steps.AgreeToMinutes,
    "answer_comment": minutes_steps.AnswerComment,
    "send_reviewed": minutes_steps.SendReviewed,
    "call_off_review": minutes_steps.CallOffReview,
    "unlock": minutes_steps.UnlockMinutes,
    "post_minutes": minutes_steps.PostMinutes,
    "remove_posting": minutes_steps.RemovePosting,
    "send_extract": minutes_steps.SendExtract,
    "give_task": minutes_steps.GiveTask,
    "finish_task": minutes_steps.FinishTask,
    "withdraw_task": minutes_steps.WithdrawTask,
    "take_task": minutes_steps.TakeTask,
}


def read_step(kind: str, given: Any, folder: Path) -> YearStep:
    """Raises InvalidInput."""
    return YEAR_STEPS[kind].read(mapping(given, "its arguments"), folder)
