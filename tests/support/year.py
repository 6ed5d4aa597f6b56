"""A body's year by API, played like `workload`'s agreements against services that may die at any moment.

async with Years(site, sink, random.Random(seed)) as years:
    await years.play_while(lambda: True)      # one body's year after the other
    years.agreements                          # of their minutes, as a workload's
    years.mails                               # what else people found in their mailboxes
    await years.check()                       # nothing lost, nothing twice, each meeting where it should be

A year: the register and the plan are applied, the notice of a meeting goes out, members reply by their own link and by
telephone, the meeting is held step by step, its minutes are written, signed by mailed links, posted, and found. Each
request bears a key under which it takes effect once, however often it is made.
"""

import asyncio
import base64
import random
import re
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from types import TracebackType
from typing import Any, Self
from urllib.parse import quote, urlsplit
from zoneinfo import ZoneInfo

from tests.support.lean_http import Answer
from tests.support.smtp_sink import Kind, SmtpSink
from tests.support.workload import Agreement, Asking, Gone, Signer, Site, sign

_PEOPLE = {  # of each body: their key, name, role and what they say of the meeting
    "olof": ("Olof Berg", "chair", "coming"),
    "ingrid": ("Ingrid Sand", "member", "coming"),
    "sven": ("Sven Dahl", "member", "absent"),
    "maja": ("Maja Lind", "secretary", "coming"),
}
_SIGNERS = {"secretary": "maja", "chair": "olof", "adjuster": "ingrid"}
_BY_LINK = "ingrid"  # the others' replies are told to the office
_ITEMS = {"Budget": "anta budgeten", "Sammanträdestider": "sammanträda fredagar"}
_LOOK_SECONDS = 0.5
_HOUR = timedelta(hours=1)
_HIDDEN = re.compile(r'type="hidden" name="([^"]*)" value="([^"]*)"')


@dataclass
class Year:
    """One body's. `at`: the meeting's path in the API; `ids`: of its people, by key."""

    number: int
    agreement: Agreement
    meeting: str = ""
    body_id: str = ""
    ids: dict[str, str] = field(default_factory=dict)
    done: bool = False

    @property
    def body(self) -> str:
        return f"Styrelse {self.number}"

    @property
    def at(self) -> str:
        return f"/meetings/{self.meeting}"

    def email(self, key: str) -> str:
        return f"{key}.year-{self.number}@norrdalen.example"


class Years:
    """Many bodies' years, one after the other. `patience` is seconds for each."""

    def __init__(self, site: Site, sink: SmtpSink, chance: random.Random, *, patience: float = 540.0) -> None:
        self.years: list[Year] = []
        self.asking = Asking(site, patience)
        self.sink = sink
        self._chance = chance
        self._patience = patience

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.asking.close()

    @property
    def agreements(self) -> list[Agreement]:
        return [one.agreement for one in self.years]

    @property
    def mails(self) -> Counter[tuple[str, Kind]]:
        """Besides those of the agreement: the plan's dates, and the notice."""
        return Counter({(one.email(key), "note"): 2 for one in self.years for key in _PEOPLE})

    async def play_while(self, wanted: Callable[[], bool]) -> None:
        """At least one. Raises Gone."""
        while wanted() or not self.years:
            await self.play()

    async def play(self) -> Year:
        """The next body's. Raises Gone."""
        year = self._invent(len(self.years) + 1)
        self.years.append(year)
        step = _STEPS[0]
        try:
            async with asyncio.timeout(self._patience):
                for step in _STEPS:
                    await step(self, year)
        except TimeoutError:
            raise Gone(f"the year of {year.body} stands still before it is {step.__name__.strip('_')}") from None
        year.done = True
        return year

    async def check(self) -> None:
        """Raises AssertionError with all that is not as it was said."""
        wrong = [f"{year.body}: {what}" for year in self.years for what in await _what_is_wrong(self, year)]
        assert not wrong, "\n".join(wrong)

    def _invent(self, number: int) -> Year:
        ids = base64.urlsafe_b64encode(self._chance.randbytes(33)).decode()
        year = Year(number, Agreement(number, ids, "plain", "", [], 0, Signer("", "", "", False, "")))
        year.agreement.sender = f"karin.ek.year-{number}@norrdalen.example"
        year.agreement.signers = [
            Signer(role, year.email(key), _PEOPLE[key][0], True, f"203.0.113.{number % 250 + 1}")
            for role, key in _SIGNERS.items()
        ]
        return year

    # for the steps below

    async def post(self, year: Year, path: str, body: Any) -> Any:
        """What a request answers that takes effect once."""
        key = f"year-{year.number}-{self._chance.randbytes(8).hex()}"
        answer = await self.asking.ask("meetings", "POST", path, json=body, key=key)
        return answer.json()

    async def get(self, path: str, *, also: int = 0) -> Any:
        return (await self.asking.ask("meetings", "GET", path, also=also)).json()

    async def page(self, method: str, path: str, *, cookie: str = "", form: dict[str, str] | None = None) -> Answer:
        return await self.asking.ask("meetings", method, path, cookie=cookie, form=form, public=True)

    async def put(self, path: str, body: Any) -> Any:
        """Said again, it is the same."""
        return (await self.asking.ask("meetings", "PUT", path, json=body)).json()

    async def found(self, path: str, expected: Callable[[Any], bool]) -> Any:
        """Asked until it is there."""
        while True:
            answer = await self.get(path, also=404)
            if expected(answer):
                return answer
            await asyncio.sleep(_LOOK_SECONDS)


async def _planned(years: Years, year: Year) -> None:
    """The body and its people, then its meetings: one of them soon."""
    people = "".join(
        f"  {key}-{year.number}: {{name: {name}, email: {year.email(key)}}}\n" for key, (name, *_) in _PEOPLE.items()
    )
    members = "".join(
        f"      - {{person: {key}-{year.number}, role: {role}}}\n" for key, (_, role, _) in _PEOPLE.items()
    )
    body = f"bodies:\n  styrelse-{year.number}:\n    name: {year.body}\n    kind: board\n    members:\n"
    await years.post(year, "/register", {"text": f"people:\n{people}{body}{members}"})
    starts = _soon()
    await years.post(year, "/plans", {"text": _plan(year, starts), "despite_clashes": True})
    first = starts.isoformat(timespec="minutes")
    (meeting,) = [one for one in await _meetings(years, year) if one["details"]["starts"].startswith(first)]
    year.meeting, year.body_id = meeting["id"], meeting["body_id"]
    year.ids = {
        key: one["person_id"]
        for one in (await years.get(f"{year.at}/replies"))["people"]
        for key in _PEOPLE
        if one["email"] == year.email(key)
    }


async def _called(years: Years, year: Year) -> None:
    for title in _ITEMS:
        await years.post(year, f"{year.at}/agenda/items", {"title": title, "kind": "decision"})
    await years.post(year, f"{year.at}/notice/issue", {})


async def _replied(years: Years, year: Year) -> None:
    """One by the link in the notice; of the others, the office is told."""
    mails = [await years.sink.mail(year.email(_BY_LINK), "note", number) for number in (1, 2)]  # in any order
    (link,) = [urlsplit(one.link) for one in mails if f"meeting={year.meeting}" in one.link]
    opened = await years.page("GET", f"{link.path}?{link.query}")
    cookie = opened.headers["set-cookie"].partition(";")[0]
    own = urlsplit(opened.headers["location"]).path
    page = await years.page("GET", own, cookie=cookie)
    form = dict(_HIDDEN.findall(page.text[page.text.index("/answer") :]))
    answer = _PEOPLE[_BY_LINK][2]
    await years.page("POST", f"{own}/answer", cookie=cookie, form={**form, "answer": answer, "comment": ""})
    for key, (*_, answer) in _PEOPLE.items():
        if key != _BY_LINK:
            await years.put(f"{year.at}/replies/{year.ids[key]}", {"answer": answer})


async def _held(years: Years, year: Year) -> None:
    there = [year.ids[key] for key, (*_, answer) in _PEOPLE.items() if answer == "coming"]
    sitting = await years.post(year, f"{year.at}/sitting", {"present": there})
    assert sitting["has_quorum"], sitting
    for key, step in _steps(year, await years.get(f"{year.at}/agenda")):
        await years.post(year, f"{year.at}/sitting/steps", {"steps": [{"key": key, "step": step}]})


def _steps(year: Year, agenda: Any) -> list[tuple[str, dict[str, Any]]]:
    """What happens, each under its key."""
    steps: list[dict[str, Any]] = [{"do": "adjusters_chosen", "people": [year.ids[_SIGNERS["adjuster"]]]}]
    for item in agenda["items"]:
        said = _ITEMS[item["details"]["title"]]
        steps += [
            {"do": "item_begun", "item_id": item["id"]},
            {"do": "decided", "text": f"Styrelsen beslutar att {said}."},
            {"do": "item_ended"},
        ]
    return [(f"step-{number}", step) for number, step in enumerate([*steps, {"do": "closed"}])]


async def _signed(years: Years, year: Year) -> None:
    """Minutes are written of what was recorded, drafted, sent off, and signed in turn."""
    written = await years.post(year, f"{year.at}/manuscript", {})
    agreement = year.agreement
    drafting = {
        "sender": {"name": "Karin Ek", "email": agreement.sender},
        "signers": [{"role": one.role, "email": one.email, "name": one.name} for one in agreement.signers],
        "transaction_id": agreement.id,
    }
    await years.post(year, f"{year.at}/minutes", {"markdown": written["markdown"], "drafting": drafting})
    path = f"/agreements/{agreement.id}/send"
    while True:
        sent = await years.asking.ask("signing", "POST", path, once=True, also=404)
        if sent.status_code != 404:
            break
        await asyncio.sleep(_LOOK_SECONDS)
    for signer in agreement.signers:
        await sign(years.asking, signer, await years.sink.mail(signer.email, "request"))


async def _posted(years: Years, year: Year) -> None:
    """Once signing has told that everyone signed: on the notice board, and among the decisions that are found."""
    at = f"{year.at}/publication"
    await years.found(at, lambda answer: answer.get("adjusted_on") is not None)
    looked = await years.post(year, f"{at}/preview", {"masks": []})
    await years.post(year, at, {"masks": [], "confirmed": looked["pin"]})
    await years.found(_decisions(year), lambda answer: answer["total"] == len(_ITEMS))
    for signer in _told_of_the_end(year):
        await years.sink.mail(signer, "copy")


_STEPS: tuple[Callable[[Years, Year], Awaitable[None]], ...] = (_planned, _called, _replied, _held, _signed, _posted)


def _told_of_the_end(year: Year) -> list[str]:
    return [year.agreement.sender, *(one.email for one in year.agreement.signers)]


async def _what_is_wrong(years: Years, year: Year) -> list[str]:
    """Each thing that is not once, and as it was said."""
    meetings = await _meetings(years, year)
    notice = await years.get(f"{year.at}/notice")
    replies = (await years.get(f"{year.at}/replies"))["people"]
    steps = (await years.get(f"{year.at}/sitting/steps"))["steps"]
    publication = await years.get(f"{year.at}/publication")
    minutes = await years.get(_decisions(year))
    board = await years.page("GET", "/meetings/anslagstavla")
    agenda = await years.get(f"{year.at}/agenda")
    kept = [key for key, _ in _steps(year, agenda)]
    compared = {
        "meetings": ([one["status"] for one in meetings], 2 * ["scheduled"]),
        "notice": ((notice["stage"], notice["sequence"]), ("issued", 1)),
        "replies": (
            {one["name"]: (one["answer"], one["via"]) for one in replies},
            {name: (answer, "page" if key == _BY_LINK else "office") for key, (name, _, answer) in _PEOPLE.items()},
        ),
        "steps": ([one["key"] for one in steps if one["key"] in kept], kept),
        "publication": ((publication["status"], publication["edition"]), ("posted", 1)),
        "decisions": (sorted(one["heading"] for one in minutes["decisions"]), sorted(_ITEMS)),
        "on the notice board": (board.text.count(f"{year.body}<"), 1),
    }
    return [f"{what}: {found}, expected {right}" for what, (found, right) in compared.items() if found != right]


async def _meetings(years: Years, year: Year) -> list[Any]:
    found: list[Any] = []
    page = await years.get("/meetings?limit=100")
    while True:
        found += [one for one in page["meetings"] if one["details"]["body"] == year.body]
        if page["next"] is None:
            return found
        page = await years.get(f"/meetings?limit=100&after={quote(page['next'])}")


def _decisions(year: Year) -> str:
    return f"/decisions?body={year.body_id}"


def _soon() -> datetime:
    """Local; a sitting may be opened some hours early, and a meeting is of one day."""
    now = datetime.now(ZoneInfo("Europe/Stockholm")).replace(second=0, microsecond=0, tzinfo=None)
    starts = now + 2 * _HOUR
    return starts if (starts + _HOUR).date() == starts.date() else starts + _HOUR


def _plan(year: Year, starts: datetime) -> str:
    """The meeting, and one on a day beside it."""
    tomorrow = starts + 24 * _HOUR
    other = tomorrow if tomorrow.year == starts.year else starts - 24 * _HOUR
    return f"""plan: styrelse-{year.number}
year: {starts.year}
bodies:
  styrelse-{year.number}:
    title: {year.body} sammanträder
    time: {starts:%H:%M}-{starts + _HOUR:%H:%M}
    place: Forsby
    meetings: [{{date: {starts:%Y-%m-%d}}}, {{date: {other:%Y-%m-%d}}}]
"""
