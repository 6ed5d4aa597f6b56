"""Minutes' Markdown made of what was recorded of a sitting, for a secretary to go on from. Pure.

An item that was taken up is a paragraph; `recorded.py` follows what happened in each. Here it is put into the fields
and the text that a secretary would have written.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from services.meetings.body.membership import MemberRole
from services.meetings.minutes.fields import as_yaml
from services.meetings.minutes.front_matter import MAX_ADJUSTERS
from services.meetings.minutes.phrases import NOT_KNOWN, PHRASES, Phrases
from services.meetings.minutes.plain_markdown import blocks, heading, inline, line
from services.meetings.minutes.recorded import Paragraph, followed
from services.meetings.sitting import steps
from services.meetings.sitting.sitting import Attendee, Sitting, SittingItem, SittingStatus
from shared.errors import Refused
from shared.rendering.minutes import Language

_Fields = dict[str, Any]
_PRESIDE = (MemberRole.CHAIR, MemberRole.FIRST_VICE_CHAIR, MemberRole.SECOND_VICE_CHAIR)


@dataclass(frozen=True, slots=True)
class OfAgenda:
    """What is known of an item beside the sitting. `attachments`: titles."""

    item_id: str
    title: str
    background: str = ""
    attachments: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class OfMeeting:
    """`secretary`: who writes, where nobody of the body is its secretary."""

    body: str
    place: str
    secretary: str
    language: Language = "sv"
    agenda: tuple[OfAgenda, ...] = ()


@dataclass(frozen=True, slots=True)
class Open:
    """Something that the secretary must look at. `what`: not_closed, no_adjuster, adjusters, no_secretary, no_chair,
    not_taken_up or between; `about`: names or titles."""

    what: str
    about: str = ""


@dataclass(frozen=True, slots=True)
class FromSitting:
    """`markdown`: a whole file of minutes. `items`: the ids of those that its paragraphs are of."""

    markdown: str
    open: tuple[Open, ...]
    items: tuple[str, ...]


def minutes_of(recorded: Iterable[steps.Step], meeting: OfMeeting) -> FromSitting:
    """`recorded`: what holds of the sitting, in its order (`history.effective`).

    What it makes is read by `parse_minutes`, as far as minutes may be long. Raises Refused when nothing was taken up.
    """
    words = PHRASES[meeting.language]
    state, paragraphs = followed(recorded, words)
    if state is None or not paragraphs:
        raise Refused("no item was taken up in the sitting", hint="record what was taken up, then write the minutes")
    writer = _Writer(state, paragraphs, meeting, words)
    head, sections = writer.head(), writer.sections()
    markdown = "---\n" + head + "---\n\n" + "\n\n".join(sections) + "\n"
    return FromSitting(markdown, tuple(writer.open), tuple(paragraphs))


class _Writer:
    def __init__(self, state: Sitting, paragraphs: Mapping[str, Paragraph], meeting: OfMeeting, words: Phrases):
        self._state = state
        self._paragraphs = list(paragraphs.values())
        self._items = [state.item(item_id) for item_id in paragraphs]
        self._meeting = meeting
        self._words = words
        self._agenda = {one.item_id: one for one in meeting.agenda}
        self._names = _distinct(state.attendees)
        self.open: list[Open] = []

    # --- the fields

    def head(self) -> str:
        state, meeting = self._state, self._meeting
        if state.status is not SittingStatus.CLOSED:
            self.open.append(Open("not_closed"))
        if left := [one.title for one in meeting.agenda if one.item_id not in {item.id for item in state.items}]:
            self.open.append(Open("not_taken_up", ", ".join(left)))
        present, absent, others = self._people()
        fields: dict[str, Any] = {
            "title": self._words.title.format(body=_within(meeting.body)),
            "body": meeting.body,
            "place": meeting.place.strip() or NOT_KNOWN,
            "starts": state.opened_at,
            "ends": state.closed_at or self._last(),
            "present": present,
            "absent": absent,
            "others": others,
            "secretary": self._secretary(),
            "adjuster": self._adjusters(),
        }
        return as_yaml(fields)

    def _last(self) -> datetime:
        """When something was recorded last, as far as the state knows."""
        moves = [one.at for who in self._state.attendees for one in who.movements]
        items = [item.ended_at or item.begun_at for item in self._items]
        return max([self._state.opened_at, *moves, *items])

    def _secretary(self) -> str:
        named = [one for one in self._state.attendees if one.role is MemberRole.SECRETARY]
        there = [one for one in named if one.ever_present] or named
        if there:
            return self._names[there[0].person_id]
        if not self._meeting.secretary.strip():
            self.open.append(Open("no_secretary"))
        return self._meeting.secretary.strip() or NOT_KNOWN

    def _adjusters(self) -> list[str]:
        names = [self._names[one] for one in self._state.adjusters]
        if not names:
            self.open.append(Open("no_adjuster"))
        if len(names) > MAX_ADJUSTERS:
            self.open.append(Open("adjusters", ", ".join(names[MAX_ADJUSTERS:])))
        return names[:MAX_ADJUSTERS] or [NOT_KNOWN]

    def _people(self) -> tuple[list[_Fields], list[_Fields], list[_Fields]]:
        chair = self._chair()
        present, absent, others = list[_Fields](), list[_Fields](), list[_Fields]()
        between: list[str] = []
        spans = {one.person_id: self._there(one) for one in self._state.attendees}
        serving = self._serving(spans)
        for one in self._state.attendees:
            there = spans[one.person_id]
            of_body = one.role is not None and one.role is not MemberRole.SECRETARY
            if one.ever_present and not there:
                between.append(one.name)
            if of_body and there:
                present.append(self._person(one, chair) | _served(serving.get(one.person_id)) | self._items_of(there))
            elif of_body:
                absent.append(self._person(one, None))
            elif there:
                title = {"title": one.what or (self._words.secretary if one.role else "")}
                others.append(self._who(one) | title | self._items_of(there))
        if between:
            self.open.append(Open("between", ", ".join(between)))
        if not chair:
            self.open.append(Open("no_chair"))
        if not present:  # a sitting that nobody of the body came to, but the reader wants somebody
            present = [{"name": NOT_KNOWN}]
        return present, absent, others

    def _chair(self) -> str | None:
        """Who presides in the minutes: who was chosen to, else the first by role who was there."""
        there = {one.person_id for one in self._state.attendees if self._there(one)}
        if self._state.chosen_chair in there:
            return self._state.chosen_chair
        by_role = {one.role: one.person_id for one in self._state.attendees if one.person_id in there}
        return next((by_role[role] for role in _PRESIDE if role in by_role), None)

    def _there(self, one: Attendee) -> list[int]:
        """The paragraphs, counted from 1."""
        found = [
            n
            for n, paragraph in enumerate(self._paragraphs, 1)
            if any(who.person_id == one.person_id and who.present for who in paragraph.then.attendees)
        ]
        return found or [n for n, paragraph in enumerate(self._paragraphs, 1) if one.person_id in paragraph.seen]

    def _serving(self, spans: Mapping[str, Sequence[int]]) -> dict[str, str]:
        """By the substitute's id whose place they took, as far as the fields can say it: one, who was away."""
        taken: dict[str, set[int]] = {}
        serving: dict[str, str] = {}
        everywhere = len(self._paragraphs)
        for one in self._state.attendees:
            served = [
                member
                for paragraph in self._paragraphs
                for member, by in paragraph.then.places.items()
                if by == one.person_id and member != by
            ]
            here = set(spans[one.person_id])
            for member in dict.fromkeys(served):
                away = len(spans[member]) < everywhere
                if away and here and not taken.get(member, set()) & here:
                    serving[one.person_id] = self._names[member]
                    taken[member] = taken.get(member, set()) | here
                    break
        return serving

    def _person(self, one: Attendee, chair: str | None) -> _Fields:
        words = self._words
        role = words.roles.get(one.role, "") if one.role else ""
        if one.person_id == chair:
            role = words.chair if one.role is MemberRole.CHAIR else words.chair_of_meeting
        elif one.role is MemberRole.CHAIR:
            role = words.other_chair
        return self._who(one) | {"party": one.party or "", "role": role}

    def _who(self, one: Attendee) -> _Fields:
        return {"name": self._names[one.person_id], "municipality": one.municipality or ""}

    def _items_of(self, there: Sequence[int]) -> _Fields:
        return {} if len(there) == len(self._paragraphs) else {"items": spans_of(there)}

    # --- the text

    def sections(self) -> Iterator[str]:
        for paragraph, item in zip(self._paragraphs, self._items, strict=True):
            yield "\n\n".join(part for part in self._section(paragraph, item) if part)

    def _section(self, paragraph: Paragraph, item: SittingItem) -> Iterator[str]:
        words, of_agenda = self._words, self._agenda.get(item.id)
        yield f"## {heading(item.title)}"
        yield from _below(words.decision, self._decided(paragraph, item))
        yield from _below(
            words.reservation,
            (
                self._said(words.reserves_saying if one.text else words.reserves, one.person_id, one.text)
                for one in item.reservations
            ),
        )
        yield from _below(
            words.statement, (self._said(words.states, one.person_id, one.text) for one in item.statements)
        )
        background = of_agenda.background if of_agenda else ""
        yield from _below(
            words.background,
            [*map(line, paragraph.told), blocks(background), blocks(item.note)],
        )
        yield from _below(words.proposals, self._proposals(item))
        yield from _below(words.order, self._order(item))
        for vote in item.votes:
            yield from _below(words.vote, self._vote(vote))
        if of_agenda and of_agenda.attachments:
            yield from _below(words.attachments, ["\n".join(f"- {line(one)}" for one in of_agenda.attachments)])

    def _decided(self, paragraph: Paragraph, item: SittingItem) -> Iterator[str]:
        words, body = self._words, self._meeting.body
        if item.decision is not None:
            yield decision_text(item.decision.text, body, words)
            if item.decision.adjusted_at_once:
                yield line(words.at_once)
        elif paragraph.adjusters:
            names = _listed([self._names[one] for one in paragraph.adjusters], words)
            yield line(words.adjusters.format(body=body, names=names))

    def _said(self, template: str, person_id: str, text: str) -> str:
        return blocks(template.format(name=self._names[person_id], text=text))

    def _proposals(self, item: SittingItem) -> Iterator[str]:
        words = self._words
        for one in item.proposals:
            if one.person_id is None:
                said = words.proposal_from_papers.format(text=one.text)
            else:
                said = words.proposal_of.format(name=self._names[one.person_id], text=one.text)
            yield blocks(f"{one.number}. {said}")

    def _order(self, item: SittingItem) -> Iterator[str]:
        words = self._words
        if len(item.order) > 1:
            order = ", ".join(str(number) for number in item.order)
            yield line(words.put.format(order=order))
        decision = item.decision
        if decision is not None and len(item.proposals) > 1 and not item.votes:
            if decision.proposal is not None:
                body = _within(self._meeting.body)
                yield line(words.found.format(body=body, number=decision.proposal))
            else:
                yield line(words.acclamation)

    def _vote(self, vote: Any) -> Iterator[str]:
        words = self._words
        yield line(words.ballot.format(yes=vote.yes, no=vote.no))
        rows = [
            f"| {inline(self._names[one.person_id])} | {words.choices[one.choice]} |"
            for one in sorted(vote.ballots, key=lambda one: list(self._names).index(one.person_id))
        ]
        yield "\n".join([f"| {words.voter} | {words.voted} |", "| --- | --- |", *rows])
        counts = {name: vote.count(choice) for name, choice in _COUNTED.items()}
        yield line(words.counted.format(result=vote.result, **counts))
        if vote.by != "votes":
            yield line(words.by_casting if vote.by == "casting" else words.by_lot)


_COUNTED = {"yes": steps.Choice.YES, "no": steps.Choice.NO, "abstain": steps.Choice.ABSTAIN}


def decision_text(text: str, body: str, words: Phrases) -> str:
    """`godkänna rapporten`, `att godkänna …` and `Styrelsen beslutar att godkänna …` say one thing; so do lists."""
    first, _, rest = text.strip().partition("\n")
    if words.decides_word in first.casefold():
        return blocks(text)
    decides = words.decides.format(body=body)
    if not rest.strip():
        return line(f"{decides} {_going_on(first, words)}")
    lines = [one for one in (given.strip() for given in text.split("\n")) if one]
    if all(one.casefold().startswith(("-", "*", "•", words.to)) for one in lines):
        listed = [_going_on(one.lstrip("-*• "), words) for one in lines]
        return line(decides) + "\n\n" + "\n".join(f"- {line(one)}" for one in listed if one)
    return line(decides) + "\n\n" + blocks(text)


def _going_on(text: str, words: Phrases) -> str:
    """After `beslutar att`: without a second one, and a small letter where a sentence began."""
    text = text[len(words.to) :].lstrip() if text.casefold().startswith(words.to) else text
    return text[:1].lower() + text[1:] if text[1:2].islower() else text


def spans_of(numbers: Sequence[int]) -> list[str]:
    """`1-3` and `5` of ascending numbers."""
    spans: list[list[int]] = []
    for number in numbers:
        if spans and number == spans[-1][1] + 1:
            spans[-1][1] = number
        else:
            spans.append([number, number])
    return [str(first) if first == last else f"{first}-{last}" for first, last in spans]


def _served(member: str | None) -> _Fields:
    return {"serves_for": member} if member else {}


def _distinct(attendees: Sequence[Attendee]) -> dict[str, str]:
    """By id the name in the minutes, where two of one name are told apart: substitutes serve for a name."""
    names: dict[str, str] = {}
    taken: set[str] = set()
    for one in attendees:
        name, number = one.name, 1
        while name in taken:
            number += 1
            name = f"{one.name} ({number})"
        names[one.person_id] = name
        taken.add(name)
    return names


def _below(title: str, parts: Iterable[str]) -> Iterator[str]:
    if found := [part for part in parts if part]:
        yield f"### {title}"
        yield from found


def _within(body: str) -> str:
    """Within a sentence, where Swedish and English write a body of one word small: `styrelsen`."""
    return body if " " in body or not body[1:].islower() else body[:1].lower() + body[1:]


def _listed(names: Sequence[str], words: Phrases) -> str:
    return f" {words.and_word} ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)
