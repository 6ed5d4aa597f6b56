"""A meeting as mails and invitations speak of it: what is kept of its facts, and that in the reader's words. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime

from pydantic import BaseModel, ConfigDict

from services.notifications.letter.languages import Language
from shared.readable import moment, place, span, weekday

_MODES = {
    "sv": {"physical": "på plats", "digital": "digitalt", "hybrid": "på plats och digitalt"},
    "en": {"physical": "on site", "digital": "online", "hybrid": "on site and online"},
}
_KINDS = {
    "sv": {"information": "information", "decision": "beslut", "discussion": "diskussion", "election": "val"},
    "en": {"information": "information", "decision": "decision", "discussion": "discussion", "election": "election"},
}
_CAME_FROM = {"sv": "från mötet {}", "en": "from the meeting on {}"}
_ANSWERED = {
    "sv": {
        "coming": "Du har svarat att du kommer, och det gäller tills du ändrar det.",
        "absent": "Du har svarat att du inte kan komma, och det gäller tills du ändrar det.",
        "tentative": "Du har svarat att du kanske kommer.",
    },
    "en": {
        "coming": "You have answered that you come, and that holds until you change it.",
        "absent": "You have answered that you cannot come, and that holds until you change it.",
        "tentative": "You have answered that you may come.",
    },
}
_INSTEAD = {"sv": "Ärendena tas i stället upp på: {}", "en": "Its items are taken up at this meeting instead: {}"}
_ONLINE = "digital"  # how it was held before is not told: only the word for it, as a place, says so
_BEFORE = {"sv": "förut", "en": "before"}
_CHANGED = {
    "sv": {
        "time": "Ny tid: {}",
        "place": "Ny plats: {}",
        "mode": "Mötet hålls nu {}",
        "title": "Mötet heter nu {}",
        "agenda": "Dagordningen är ändrad",
        "papers": "Handlingarna är ändrade",
        "people": "Andra än förut är kallade",
        "join": "Länken att ansluta med är ny",
    },
    "en": {
        "time": "New time: {}",
        "place": "New place: {}",
        "mode": "The meeting is now held {}",
        "title": "The meeting is now called {}",
        "agenda": "The agenda has changed",
        "papers": "The papers have changed",
        "people": "Others than before are called",
        "join": "The link to join by is new",
    },
}


class AgendaItem(BaseModel):
    """`kind`: information, decision, discussion or election."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    title: str
    kind: str = ""
    presenter: str = ""
    minutes: int | None = None
    came_from: date | None = None


class InsteadFacts(BaseModel):
    """The meeting that takes over the items of one that is struck. `starts` is local wall time."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    title: str
    place: str
    mode: str = ""
    starts: datetime


class MeetingFacts(BaseModel):
    """What mails and invitations say of a meeting. `starts` and `ends` are local wall time in `timezone`, an IANA name.

    `join_sealed`: by which link it is joined, as the fact has it. Texts are of one line, and fit to be quoted.
    `page_version`: of the reader's own page. `answer`: the reader's that still holds; coming, absent or tentative.
    `note`: its lines. Numbers are those of a quorum.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    body: str
    title: str
    place: str
    mode: str = ""
    starts: datetime
    ends: datetime
    timezone: str
    sequence: int
    join_sealed: str = ""
    page_version: int = 1
    answer: str = ""
    agenda: tuple[AgendaItem, ...] = ()
    changes: tuple[str, ...] = ()
    before_starts: datetime | None = None
    before_place: str = ""
    answer_by: date | None = None
    note: tuple[str, ...] = ()
    papers: bool = False
    late: tuple[str, ...] = ()
    instead_of: str = ""
    reason: str = ""
    taken_over_by: InsteadFacts | None = None
    needed: int = 0
    coming: int = 0
    absent: int = 0
    unanswered: int = 0


@dataclass(frozen=True)
class MeetingWords:
    """Ready for reading, in one language. `moment` is when it starts, `when` its whole time. `join`: the link by
    which it is joined."""

    body: str
    title: str
    place: str
    how: str
    join: str
    moment: str
    when: str
    changed: tuple[str, ...]
    agenda: tuple[str, ...]
    note: tuple[str, ...]
    answered: str
    answer_by: str
    papers: bool
    late: tuple[str, ...]
    instead_of: str
    reason: str
    instead: str
    needed: int
    coming: int
    absent: int
    unanswered: int

    def texts(self) -> Iterator[str]:
        yield from (self.body, self.title, self.place, self.how, self.moment, self.when, self.answered, self.answer_by)
        yield from (self.instead_of, self.reason, self.instead)
        yield from (*self.changed, *self.agenda, *self.note, *self.late)


def words(facts: MeetingFacts, language: Language, join: str = "") -> MeetingWords:
    """`join`: the link by which it is joined."""
    return MeetingWords(
        body=facts.body,
        title=facts.title,
        place=place_of(facts, language),
        how=_how(facts, language),
        join=join,
        moment=moment(facts.starts, language),
        when=span(facts.starts, facts.ends, language),
        changed=tuple(_changes(facts, language)),
        agenda=tuple(f"{number}. {_item(one, language)}" for number, one in enumerate(facts.agenda, start=1)),
        note=facts.note,
        answered=_ANSWERED[language].get(facts.answer, ""),
        answer_by="" if facts.answer_by is None else weekday(facts.answer_by, language),
        papers=facts.papers,
        late=facts.late,
        instead_of=facts.instead_of,
        reason=facts.reason,
        instead=_instead(facts.taken_over_by, language),
        needed=facts.needed,
        coming=facts.coming,
        absent=facts.absent,
        unanswered=facts.unanswered,
    )


def place_of(facts: MeetingFacts, language: Language) -> str:
    """In the reader's words where it is online and nobody named another place."""
    return place(facts.place, facts.mode, language)


def _how(facts: MeetingFacts, language: Language) -> str:
    return _MODES[language].get(facts.mode, "")


def _instead(other: InsteadFacts | None, language: Language) -> str:
    """`Ärendena tas i stället upp på: Styrelsen sammanträder, fredag 25 november 2022 kl. 13:00, Granvik (på plats)`;
    empty where there is none."""
    if other is None:
        return ""
    how, where = _MODES[language].get(other.mode, ""), place(other.place, other.mode, language)
    if how.casefold() == where.casefold():
        how = ""  # "Digitalt" says so
    said = ", ".join(filter(None, (other.title, moment(other.starts, language), where)))
    return _INSTEAD[language].format(f"{said} ({how})" if how else said)


def _item(item: AgendaItem, language: Language) -> str:
    """`Val av justerare (val, Maja Lind, 5 min)`."""
    said = [_KINDS[language].get(item.kind, ""), item.presenter]
    said.append("" if item.minutes is None else f"{item.minutes} min")
    if item.came_from is not None:
        said.append(_CAME_FROM[language].format(weekday(item.came_from, language)))
    shown = ", ".join(filter(None, said))
    return f"{item.title} ({shown})" if shown else item.title


def _changes(facts: MeetingFacts, language: Language) -> Iterator[str]:
    """What is so now, and of time and place what was otherwise before."""
    now = {
        "time": span(facts.starts, facts.ends, language),
        "place": place_of(facts, language),
        "mode": _how(facts, language),
        "title": facts.title,
    }
    before = {"place": place(facts.before_place, _ONLINE, language)}
    if facts.before_starts is not None and facts.before_starts != facts.starts:
        before["time"] = moment(facts.before_starts, language)
    for name in facts.changes:
        line = _CHANGED[language].get(name)
        if line is None or (name == "mode" and not now["mode"]):
            continue
        was = before.get(name)
        yield line.format(now.get(name)) + (f" ({_BEFORE[language]} {was})" if was else "")
