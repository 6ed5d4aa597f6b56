"""The page on which a recorded step is corrected, or a forgotten one put behind it: what was recorded stays, struck.

Where another step rests on it, the correction waits in the form, and that step's form comes next; all are recorded at
once (`pending`, a list of `SaidEntry`).
"""

from collections.abc import Mapping, Sequence
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import Response
from pydantic import TypeAdapter, ValidationError
from starlette.datastructures import FormData

from services.meetings.pages.office import READER, SECRETARY, OfficePages, back, get, post, version_of
from services.meetings.pages.sitting_said import facts_of, texts_of, whom
from services.meetings.sitting.commands import SaidEntry, Scene, is_key
from services.meetings.sitting.correcting import MOST_WAITING, as_of, clock_time, place_of, standing_at
from services.meetings.sitting.history import Entry, why_of
from services.meetings.sitting.sitting import Sitting
from services.meetings.sitting.steps import Choice, How, VoteTaken
from shared.auth import Principal
from shared.errors import InvalidInput, NotFound, Refused
from shared.ids import new_id

_PENDING = TypeAdapter(tuple[SaidEntry, ...])
_FORGOTTEN = (
    *("arrived", "departed", "guest_arrived", "stood_down", "chair_taken", "conflict_declared"),
    *("item_begun", "item_ended", "proposal_made", "proposals_ordered", "vote_taken", "decided", "reserved", "stated"),
    *("noted", "adjusters_chosen", "adjusted_at_once", "adjourned", "resumed"),
)
_AT = "/office/meetings/{meeting_id}/sitting/steps/{number}"


class SittingCorrectionPages(OfficePages):
    def add_to(self, router: APIRouter) -> None:
        get(router, _AT, self.office_sitting_step)
        post(router, _AT, self.office_sitting_step_correct)
        get(router, f"{_AT}/after", self.office_sitting_forgotten)
        post(router, f"{_AT}/after", self.office_sitting_forgotten_add)

    async def office_sitting_step(
        self, request: Request, meeting_id: str, number: int, principal: Principal = READER
    ) -> Response:
        return await self._form(request, principal, meeting_id, number, None)

    async def office_sitting_forgotten(
        self, request: Request, meeting_id: str, number: int, do: str = "", principal: Principal = READER
    ) -> Response:
        """`do`: what was forgotten; it is asked for first."""
        return await self._form(request, principal, meeting_id, number, do if do in _FORGOTTEN else "")

    async def office_sitting_step_correct(
        self, request: Request, meeting_id: str, number: int, principal: Principal = SECRETARY
    ) -> Response:
        return await self._record(request, principal, meeting_id, number, None)

    async def office_sitting_forgotten_add(
        self, request: Request, meeting_id: str, number: int, principal: Principal = SECRETARY
    ) -> Response:
        do = str((await request.form()).get("do", ""))
        return await self._record(request, principal, meeting_id, number, do if do in _FORGOTTEN else "")

    async def _record(
        self, request: Request, principal: Principal, meeting_id: str, number: int, do: str | None
    ) -> Response:
        """`do`: of a step that was forgotten; None where `number` is corrected."""
        form = await request.form()
        there = await self._there(principal, meeting_id, form)
        place, pending = place_of(there.entries, number), there.pending
        try:
            if do == "":
                raise InvalidInput("do: say what was forgotten")
            entry = _said(there, place, do, form)
            await self._commands.sittings.record(
                principal.organisation,
                meeting_id,
                [*pending, entry],
                by=principal.name,
                seen=version_of(str(form.get("version", ""))),
            )
        except ValidationError:
            return await self._form(request, principal, meeting_id, number, do, form=form, why="form")
        except (Refused, InvalidInput, NotFound) as error:
            values = dict(error.says.values) if error.says else {}
            rests = values.get("number")
            here = isinstance(rests, int) and _is_of(there, [*pending, entry], rests, place, do)
            why = str(values["why"]) if isinstance(rests, int) else why_of(error)
            other = rests if isinstance(rests, int) and not here else None
            if other is not None and form.get("act") == "next" and other in _places(there.entries):
                fresh = _PENDING.dump_json((*pending, entry)).decode()
                return await self._form(request, principal, meeting_id, other, None, waiting=fresh)
            return await self._form(request, principal, meeting_id, number, do, form=form, why=why, other=other)
        return back(request, "office_sitting_steps", "step-corrected", meeting_id=meeting_id)

    async def _there(self, principal: Principal, meeting_id: str, form: FormData, waiting: str = "") -> "_There":
        sittings = self._commands.sittings
        scene = await sittings.scene(principal.organisation, meeting_id)
        entries = await sittings.steps(principal.organisation, meeting_id)
        return _There(scene, entries, _pending(waiting or str(form.get("pending", ""))))

    async def _form(
        self,
        request: Request,
        principal: Principal,
        meeting_id: str,
        number: int,
        do: str | None,
        *,
        form: FormData | None = None,
        why: str = "",
        other: int | None = None,
        waiting: str = "",
    ) -> Response:
        """`why`: it was refused, and what was typed stays; `other`: the step that would not hold then; `waiting`: the
        corrections that wait for this one."""
        there = await self._there(principal, meeting_id, form or FormData(), waiting)
        place = place_of(there.entries, number)
        entry = standing_at(there.entries, place)
        kind = entry.step.do if do is None else do
        state = there.state(place, behind=do is not None)
        named = there.scene.state or state
        later = standing_at(there.entries, other) if other in _places(there.entries) else None
        shown = _typed(form) if form is not None else _as_it_is(entry, do)
        return self._page(
            request,
            "office/sitting_step.html",
            principal,
            **{
                **facts_of(there.scene),
                "refused": bool(why),
                "why": why,
                "other": later,
                "other_about": whom(there.scene, later) if later else "",
                "entry": entry,
                "place": place,
                "do": kind,
                "forgotten": do is not None,
                "kinds": _FORGOTTEN,
                "said": shown,
                "about": whom(there.scene, entry),
                "people": named.attendees if named else (),
                "deciding": [one.person_id for one in state.deciding] if state else [],
                "proposals": state.item_up.proposals if state and state.item_up else (),
                "is_election": bool(state and state.item_up and state.item_up.kind == "election"),
                "pending": _PENDING.dump_json(there.pending).decode() if there.pending else "",
                "waits": [(one, whom(there.scene, one)) for one in there.as_entries(there.pending)],
                "key": new_id(),
                "choices": tuple(Choice),
                "hows": tuple(How),
            },
        )


class _There:
    """What was recorded, and what waits to be corrected with it."""

    def __init__(self, scene: Scene, entries: list[Entry], pending: tuple[SaidEntry, ...]) -> None:
        if scene.state is None:
            raise NotFound("the sitting has not been opened", hint="open it first")
        self.scene, self.entries, self.pending = scene, entries, pending

    def as_entries(self, said: Sequence[SaidEntry]) -> list[Entry]:
        first = len(self.entries) + 1
        return [
            Entry(number=first + n, **one.model_dump(exclude={"step"}), step=one.step) for n, one in enumerate(said)
        ]

    def state(self, place: int, *, behind: bool) -> Sitting | None:
        """With what waits, as far as it names what is there."""
        known = {entry.number for entry in self.entries}
        waiting = [one for one in self.as_entries(self.pending) if (one.corrects or one.after) in known]
        return as_of([*self.entries, *waiting], place, behind=behind)


def _places(entries: Sequence[Entry]) -> set[int]:
    return {entry.number for entry in entries if entry.corrects is None}


def _is_of(there: _There, said: Sequence[SaidEntry], rests: int, place: int, do: str | None) -> bool:
    """Whether the step that would not hold is the very one that was said."""
    return rests == (place if do is None else len(there.entries) + len(said))


def _pending(text: str) -> tuple[SaidEntry, ...]:
    """Raises InvalidInput."""
    if not text:
        return ()
    try:
        found = _PENDING.validate_json(text)
    except ValidationError:
        found = ()
    if not found or len(found) > MOST_WAITING or any(not (one.corrects or one.after) for one in found):
        raise InvalidInput("pending: is not what the page has made", hint="begin the correction anew")
    return found


def _said(there: _There, place: int, do: str | None, form: FormData) -> SaidEntry:
    """Raises ValidationError, InvalidInput."""
    entry = standing_at(there.entries, place)
    state = there.state(place, behind=do is not None)
    if state is None or there.scene.state is None:
        raise InvalidInput("step: how the sitting was opened is not corrected", hint="correct the roll call")
    said = _typed(form)
    key = said.get("key", "")[:80]
    reason = said.get("reason", "").strip() or None
    if do is None and said.get("withdraw"):
        return SaidEntry.model_validate(
            {
                "key": key,
                "step": {"do": "withdrawn"},
                "corrects": place,
                "reason": said.get("reason", "").strip() or None,
            }
        )
    step: dict[str, Any] = {"do": do or entry.step.do}
    near = entry.step.at
    step["at"] = clock_time(there.scene.state, said["at"], near) if said.get("at") else near
    step |= texts_of(state, said, step["do"], key if is_key(key) else new_id())
    for name, field in (("people", "adjuster"), ("present", "present")):
        if (step["do"], name) in (("adjusters_chosen", "people"), ("roll_called", "present")):
            step[name] = [one for one in form.getlist(field) if isinstance(one, str)]
    if step["do"] == "decided" and "how" in said:
        step |= {"how": said["how"], "proposal": said.get("proposal") or None}
    if do is None and step["do"] == "guest_arrived":
        step["person_id"] = entry.step.model_dump()["person_id"]
    where = {"corrects": place} if do is None else {"after": place}
    return SaidEntry.model_validate({"key": key, "step": step, **where, "reason": reason})


def _typed(form: FormData) -> dict[str, str]:
    return {name: value for name, value in form.items() if isinstance(value, str)} | {
        f"{name}-{one}": "on" for name in ("adjuster", "present") for one in form.getlist(name) if isinstance(one, str)
    }


def _as_it_is(entry: Entry, do: str | None) -> Mapping[str, str]:
    """What a form is filled with: the step as it was recorded; one that was forgotten: the time of the one before."""
    step = entry.step
    at = {"at": step.at.strftime("%H:%M")} if step.at else {}
    if do is not None:
        return at
    given = step.model_dump(mode="json")
    called = {"person_id": "person", "item_id": "item"}
    found = {called.get(name, name): str(value) for name, value in given.items() if isinstance(value, (str, int))}
    for name, field in (("people", "adjuster"), ("present", "present")):
        found |= {f"{field}-{one}": "on" for one in given.get(name) or ()}
    if isinstance(step, VoteTaken):
        found |= {f"ballot-{one.person_id}": str(one.choice) for one in step.ballots}
    if "order" in given:
        found["order"] = " ".join(map(str, given["order"]))
    return found | at
