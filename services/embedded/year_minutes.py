"""Minutes in a scenario: written of the sitting, read by those who are to sign, posted, and the tasks that they give.

Who reads them does so by what was mailed to them, and nothing else.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, TypeVar

from services.archive.commands import ArchiveCommands
from services.archive.extract import ExtractWanted
from services.archive.extract_sending import SendingWanted
from services.embedded import minutes_steps as steps
from services.embedded.assembly import AllInOne
from services.embedded.step_base import MeetingName
from services.embedded.year_found import Found
from services.embedded.year_members import MembersSteps
from services.meetings.commands import MeetingsCommands
from services.meetings.manuscript.manuscript import Piece
from services.meetings.meeting.meeting import Meeting
from services.meetings.minutes.drafting import DraftedMinutes, Drafting
from services.meetings.minutes.fields import in_a_form
from services.meetings.person.person import Person
from services.meetings.review.commands import ReviewView
from services.meetings.review.review import WHOLE
from services.meetings.task.task import Task, TaskDetails
from shared.errors import InvalidInput, Refused
from shared.rendering.minutes import MinutesDocument
from shared.rendering.public import Mask

_Thing = TypeVar("_Thing")


class MinutesSteps:
    """Its methods are named in `actions` by the steps' names."""

    def __init__(self, system: AllInOne, found: Found, members: MembersSteps) -> None:
        self._found = found
        self._members = members
        self._organisation = found.organisation
        self._meetings: MeetingsCommands = system.services["meetings"].commands
        archive: ArchiveCommands = system.services["archive"].commands
        self._extracts = archive.extracts
        self.actions: Mapping[str, Callable[[Any], Awaitable[None]]] = {
            "write_minutes": self._write,
            "edit_minutes": self._edit,
            "add_paragraph": self._add,
            "edit_fields": self._edit_fields,
            "open_review": self._open_review,
            "comment_minutes": self._comment,
            "agree_to_minutes": self._agree,
            "answer_comment": self._answer,
            "send_reviewed": self._send,
            "call_off_review": self._call_off,
            "unlock": self._unlock,
            "post_minutes": self._post,
            "remove_posting": self._remove_posting,
            "send_extract": self._send_extract,
            "give_task": self._give_task,
            "finish_task": self._finish_task,
            "withdraw_task": self._withdraw_task,
            "take_task": self._take_task,
        }

    async def _write(self, step: steps.WriteMinutes) -> None:
        meeting = await self._found.meeting(step.meeting)
        await self._meetings.manuscripts.write_from_sitting(self._organisation, meeting.id, by="")

    async def _edit(self, step: steps.EditMinutes) -> None:
        meeting = await self._found.meeting(step.meeting)
        piece = (await self._piece(meeting, step.paragraph))[0]
        await self._meetings.manuscripts.write(
            self._organisation,
            meeting.id,
            piece.id,
            step.heading or piece.heading,
            step.text,
            seen=piece.version,
        )

    async def _piece(self, meeting: Meeting, heading: str) -> tuple[Piece, int]:
        """Of the draft, by its heading, with the draft's version."""
        there = await self._meetings.manuscripts.manuscript(self._organisation, meeting.id)
        named = [one for one in there.pieces if one.heading == heading]
        return _one_of(named, "the draft", "paragraph", heading), there.version

    async def adjust_at_once(self, meeting: Meeting, paragraph: str, drafting: Drafting, *, ip: str) -> DraftedMinutes:
        piece, written = await self._piece(meeting, paragraph)
        return await self._meetings.adjusting.adjust(
            self._organisation, meeting.id, piece.id, drafting, written=written, ip=ip
        )

    async def _add(self, step: steps.AddParagraph) -> None:
        meeting = await self._found.meeting(step.meeting)
        manuscripts = self._meetings.manuscripts
        piece = (await manuscripts.add(self._organisation, meeting.id, step.heading)).pieces[-1]
        await manuscripts.write(self._organisation, meeting.id, piece.id, step.heading, step.text, seen=piece.version)

    async def _edit_fields(self, step: steps.EditFields) -> None:
        meeting = await self._found.meeting(step.meeting)
        there = await self._meetings.manuscripts.manuscript(self._organisation, meeting.id)
        form = in_a_form(there.fields) | step.model_dump(exclude={"meeting"}, exclude_none=True)
        await self._meetings.manuscripts.write_fields(self._organisation, meeting.id, form, seen=there.fields_version)

    async def _open_review(self, step: steps.OpenReview) -> None:
        meeting = await self._found.meeting(step.meeting)
        people = [(await self._found.person(key)).id for key in step.people]
        await self._meetings.reviews.open(
            self._organisation, meeting.id, people, answer_by=step.answer_by, note=step.note
        )

    async def _comment(self, step: steps.CommentMinutes) -> None:
        view, person = await self._read(step.meeting, step.person)
        number = WHOLE
        if step.paragraph is not None:
            document = await self._meetings.reviews.document(
                self._organisation, view.review.id, view.review.minutes_version
            )
            number = _numbered(document, step.paragraph)
        await self._meetings.reviews.comment(
            self._organisation, view.review.id, person.id, {number: step.text}, seen=view.review.minutes_version
        )

    async def _agree(self, step: steps.AgreeToMinutes) -> None:
        view, person = await self._read(step.meeting, step.person)
        if person.id not in view.review.waiting_for:
            raise Refused("they agreed already")
        await self._meetings.reviews.agree(
            self._organisation, view.review.id, person.id, seen=view.review.minutes_version
        )

    async def _read(self, named: MeetingName, key: str) -> tuple[ReviewView, Person]:
        """What a person is asked to read, opened by the link of the last mail to them."""
        review = await self._review(await self._found.meeting(named))
        person = await self._found.person(key)
        await self._members.open_link(person)
        return await self._meetings.reviews.read(self._organisation, review.review.id, person.id), person

    async def _answer(self, step: steps.AnswerComment) -> None:
        view = await self._review(await self._found.meeting(step.meeting))
        person = await self._found.person(step.person)
        said = [one for one in view.comments if one.person_id == person.id]
        if not said:
            raise Refused(f"{step.person} has not commented on them")
        await self._meetings.reviews.answer(self._organisation, view.review.id, said[-1].id, step.reply, settled=True)

    async def _send(self, step: steps.SendReviewed) -> None:
        view = await self._review(await self._found.meeting(step.meeting))
        await self._meetings.reviews.send(self._organisation, view.review.id)

    async def _call_off(self, step: steps.CallOffReview) -> None:
        view = await self._review(await self._found.meeting(step.meeting))
        await self._meetings.reviews.call_off(self._organisation, view.review.id, step.reason)

    async def _review(self, meeting: Meeting) -> ReviewView:
        """The one that is open, or the last one. Raises Refused."""
        view = await self._meetings.reviews.latest(self._organisation, meeting.id)
        if view is None:
            raise Refused("nobody was asked to read the minutes")
        return view

    async def _unlock(self, step: steps.UnlockMinutes) -> None:
        meeting = await self._found.meeting(step.meeting)
        at_once = None
        if step.paragraph is not None:
            at_once = (await self._piece(meeting, step.paragraph))[0].at_once
            if at_once is None:
                raise Refused(f"{step.paragraph} has not been put forward on its own")
        await self._meetings.unlocking.unlock(self._organisation, meeting.id, step.reason, ip=step.ip, at_once=at_once)

    async def _post(self, step: steps.PostMinutes) -> None:
        meeting = await self._found.meeting(step.meeting)
        masks = [Mask(kind="name", text=name) for name in step.names]
        for passage in step.passages:
            number = None if passage.paragraph is None else await self._paragraph(meeting, passage.paragraph)
            masks.append(Mask(kind="passage", text=passage.text, paragraph=number))
        publications = self._meetings.publications
        looked = await publications.preview(self._organisation, meeting.id, masks)
        if looked.unused:
            raise InvalidInput(f"the minutes say nowhere {masks[looked.unused[0]].text!r}")
        await publications.post(self._organisation, meeting.id, masks, confirmed=looked.pin)

    async def _remove_posting(self, step: steps.RemovePosting) -> None:
        meeting = await self._found.meeting(step.meeting)
        await self._meetings.publications.remove(self._organisation, meeting.id, step.reason)

    async def _send_extract(self, step: steps.SendExtract) -> None:
        meeting = await self._found.meeting(step.meeting)
        number = await self._paragraph(meeting, step.paragraph)
        sender = (await self._found.person(step.sender)).details
        if sender.email is None:
            raise Refused(f"{step.sender} has no e-mail address")
        agreement_id = (await self._meetings.minutes.versions(self._organisation, meeting.id))[0].agreement_id
        wanted = ExtractWanted(paragraph=number, certified_by=step.certified_by)
        made = await self._extracts.certify(self._organisation, agreement_id, wanted, asked_by="")
        sending = SendingWanted(name=step.name, email=step.email, sender_name=sender.name, sender_email=sender.email)
        await self._extracts.send(self._organisation, agreement_id, made.number, sending, asked_by="")

    async def _give_task(self, step: steps.GiveTask) -> None:
        meeting = await self._found.meeting(step.meeting)
        number = await self._paragraph(meeting, step.paragraph)
        details = TaskDetails(
            what=step.what,
            owner_id=(await self._found.person(step.owner)).id if step.owner else None,
            owner_role=step.role,
            due=step.due,
            back_on=(await self._found.meeting(step.back_on)).id if step.back_on else None,
            back_day=step.back_day,
        )
        await self._meetings.tasks.give(self._organisation, meeting.id, number, details)

    async def _paragraph(self, meeting: Meeting, heading: str) -> int:
        """Of the last version of its minutes. Raises Refused, InvalidInput."""
        versions = await self._meetings.minutes.versions(self._organisation, meeting.id)
        if not versions:
            raise Refused("no minutes have been drafted for this meeting")
        document = await self._meetings.versions.document(self._organisation, meeting.id, versions[0].version)
        return _numbered(document, heading)

    async def _finish_task(self, step: steps.FinishTask) -> None:
        task = await self._task(step.meeting, step.what)
        await self._meetings.tasks.finish(self._organisation, task.id, step.note)

    async def _withdraw_task(self, step: steps.WithdrawTask) -> None:
        task = await self._task(step.meeting, step.what)
        await self._meetings.tasks.withdraw(self._organisation, task.id, step.reason)

    async def _take_task(self, step: steps.TakeTask) -> None:
        task = await self._task(step.meeting, step.what)
        await self._meetings.tasks.take(self._organisation, task.id)

    async def _task(self, named: MeetingName, what: str) -> Task:
        meeting = await self._found.meeting(named)
        there = await self._meetings.tasks.of_meeting(self._organisation, meeting.id)
        return _one_of([one.task for one in there if one.task.details.what == what], "the minutes", "task", what)


def _numbered(document: MinutesDocument, heading: str) -> int:
    found = [one.number for one in document.paragraphs if one.heading == heading]
    return _one_of(found, "the minutes", "paragraph", heading)


def _one_of(found: Sequence[_Thing], where: str, what: str, name: str) -> _Thing:
    """Raises InvalidInput unless there is one."""
    if len(found) != 1:
        raise InvalidInput(f"{where}: there is {'no' if not found else 'more than one'} {what} {name!r}")
    return found[0]
