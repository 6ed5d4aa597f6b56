"""Open data as OParl 1.1 has them: each kind of object against the specification, what is public, and what is kept."""

import asyncio
import base64
import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.meetings.body.body import Body, BodyDetails, BodyKind, BodyRules
from services.meetings.body.membership import MemberRole, Membership, Seat
from services.meetings.meeting.meeting import Meeting, MeetingDetails, MeetingStatus
from services.meetings.notice.notice import Told
from services.meetings.oparl import api, words
from services.meetings.oparl.keeping import Kept, settled
from services.meetings.oparl.oparl import Addresses, Called, Fields, Key, Kind, Published, Scene, open_things
from services.meetings.oparl.queries import Gone, OpenQueries
from services.meetings.publication.publication import Status
from shared.auth import Access
from shared.clock import ManualClock
from shared.errors import NotFound, Unavailable
from shared.events import BlobRef
from shared.events.notices import AgendaLine
from shared.forwarding import Proxies
from shared.http import create_app
from shared.rendering.minutes import Language
from shared.rendering.public import Mask
from shared.web import RateLimit
from tests.oparl import specification

AT = Addresses("https://justera.example/meetings/oparl", "https://justera.example/meetings")
NOW = datetime(2022, 9, 26, 8, tzinfo=UTC)
TODAY = date(2022, 9, 26)
DETAILS = MeetingDetails(
    body="Styrelsen",
    title="Styrelsen sammanträder om lön",
    place="Rum 3",
    starts=datetime(2022, 11, 25, 13),
    ends=datetime(2022, 11, 25, 15),
)
TOLD = Told(
    title="Styrelsen sammanträder",
    place="Sammanträdesrummet, Forsby",
    mode=None,
    starts=datetime(2022, 11, 25, 12),
    ends=datetime(2022, 11, 25, 15),
    agenda=(AgendaLine(title="Val av justerare"), AgendaLine(title="Budget", kind="decision", presenter="Maja Lind")),
    papers=None,
    people=("maja",),
)

PDF = BlobRef(sha256="0" * 64, size=4711, media_type="application/pdf")
MINUTES = Published(id="p", title="Protokoll styrelsen", language="sv", pdf=PDF)


def body(body_id: str = "board", *, public: bool = True, **rules: Any) -> Body:
    details = BodyDetails(name=f"Organ {body_id}", kind=BodyKind.BOARD, rules=BodyRules(public=public, **rules))
    return Body(id=body_id, key=body_id, version=1, details=details)


def seat(person: str, body_id: str = "board", role: MemberRole = MemberRole.MEMBER, **term: Any) -> Membership:
    return Membership(id=f"{person}-{body_id}", body_id=body_id, seat=Seat(person_id=person, role=role, **term))


def called(meeting_id: str = "m", body_id: str = "board", **more: Any) -> Called:
    status = more.pop("status", MeetingStatus.SCHEDULED)
    meeting = Meeting(id=meeting_id, body_id=body_id, version=1, status=status, details=DETAILS)
    return Called(meeting, **({"told": TOLD, "is_held": False} | more))


def scene(**more: Any) -> Scene:
    bodies = more.pop("bodies", [body()])
    whole: dict[str, Any] = {
        "organisation": "norrdalen",
        "name": "Norrdalens förbund",
        "license": "https://licences.example/open",
        "bodies": bodies,
        "memberships": [seat("maja", role=MemberRole.CHAIR, begins=date(2022, 1, 1), ends=date(2022, 12, 31))],
        "names": {"maja": "Maja Lind", "olof": "Olof Berg"},
        "meetings": [called(minutes=MINUTES, is_held=True)],
        "today": {one.id: TODAY for one in bodies},
    }
    return Scene(**(whole | more))


def kept(of: Scene, before: Mapping[Key, Kept] | None = None, at: datetime = NOW) -> dict[Key, Kept]:
    before = before or {}
    return {**before, **{one.key: one for one in settled(before, open_things(of, AT), AT, at)}}


def given_out(of: Scene) -> dict[Key, Fields]:
    return {key: one.given(AT) for key, one in kept(of).items()}


def said(of: Scene) -> str:
    return json.dumps(list(given_out(of).values()), ensure_ascii=False)


@pytest.mark.parametrize("kind", Kind)
def test_each_kind_of_object_is_as_the_specification_wants_it(kind: Kind) -> None:
    found = [one for (of, _), one in given_out(scene()).items() if of is kind]
    assert found, "there is one"
    for one in found:
        assert specification.problems(one) == []


@pytest.mark.skipif(not specification.OFFICIAL, reason="JUSTERA_OPARL_SCHEMAS names no folder")
def test_our_words_of_the_specification_are_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    folder = Path(str(specification.OFFICIAL))
    for kind, fields in specification.our_words().items():
        official = json.loads((folder / f"{kind}.json").read_text("utf-8"))
        assert set(fields) == set(official["properties"]), kind
        assert {name for name, form in fields.items() if form.endswith("!")} == set(official["required"])


def test_a_body_that_is_not_public_and_all_of_it_is_nowhere() -> None:
    hidden = scene(
        bodies=[body(), body("secret", public=False)],
        memberships=[seat("maja"), seat("olof", "secret")],
        meetings=[called(), called("hemligt", "secret"), called("gissat", "secret", told=None, is_held=True)],
    )
    assert {thing.id for thing in open_things(hidden, AT)} == {
        *("norrdalen", "board", "maja", "maja-board", "m", "m-1", "m-2")
    }
    for word in ("secret", "Olof", "hemligt", "gissat"):
        assert word not in said(hidden)


@pytest.mark.parametrize("term", [{"ends": date(2022, 9, 25)}, {"begins": date(2022, 9, 27)}])
def test_who_does_not_sit_there_today_is_nowhere(term: dict[str, Any]) -> None:
    assert "Olof" in said(scene(memberships=[seat("olof")]))
    assert "olof" not in said(scene(memberships=[seat("olof", **term)])).casefold()


def test_a_meeting_is_known_by_its_notice_or_once_it_was_held() -> None:
    assert (Kind.MEETING, "m") not in given_out(scene(meetings=[called(told=None)]))
    held = given_out(scene(meetings=[called(told=None, is_held=True)]))[Kind.MEETING, "m"]
    assert (held["name"], held["meetingState"]) == (DETAILS.title, "durchgeführt")
    assert "agendaItem" not in held


def test_a_meeting_is_as_people_were_told_of_it() -> None:
    meeting = given_out(scene())[Kind.MEETING, "m"]
    assert (meeting["name"], meeting["start"], meeting["cancelled"]) == (TOLD.title, "2022-11-25T12:00:00+01:00", False)
    assert meeting["location"]["description"] == TOLD.place
    assert [one["name"] for one in meeting["agendaItem"]] == ["Val av justerare", "Budget"]
    assert "lön" not in said(scene()), "a change that nobody was told of"
    assert "presenter" not in said(scene())


def test_minutes_are_known_by_their_posting_alone() -> None:
    found = given_out(scene())
    file = found[Kind.FILE, "p"]
    assert file["accessUrl"] == f"{file['id']}/content"
    inside = {name: value for name, value in file.items() if name not in ("meeting", "paper")}
    assert found[Kind.MEETING, "m"]["resultsProtocol"] == found[Kind.PAPER, "p"]["mainFile"] == inside
    signed = given_out(scene(meetings=[called(is_held=True)]))
    assert not {(Kind.FILE, "p"), (Kind.PAPER, "p")} & set(signed)
    assert "resultsProtocol" not in signed[Kind.MEETING, "m"]


def test_what_is_masked_in_minutes_stands_nowhere_else() -> None:
    masks = (Mask(kind="name", text="Ola Berg"), Mask(kind="passage", text="lönen för", paragraph=3))
    told = TOLD.model_copy(
        update={
            "title": "Möte om Ola Berg",
            "place": "Hos Ola Bergs",
            "agenda": (AgendaLine(title="Uppsägning av ola  berg"), AgendaLine(title="Lönen för år 2023")),
        }
    )
    open_said = said(scene(meetings=[called(told=told, masks=masks, minutes=MINUTES)])).casefold()
    assert "[maskerat]" in open_said
    assert not any(word in open_said for word in ("ola", "berg", "lönen"))


def test_one_that_was_called_and_cancelled_says_so() -> None:
    meeting = given_out(scene(meetings=[called(status=MeetingStatus.CANCELLED, is_held=True)]))[Kind.MEETING, "m"]
    assert (meeting["cancelled"], meeting["meetingState"]) == (True, "eingeladen")
    gone = scene(meetings=[called(status=MeetingStatus.CANCELLED, told=None, is_held=True)])
    assert (Kind.MEETING, "m") not in given_out(gone)


def at_place(place: str) -> Scene:
    return scene(meetings=[called(told=TOLD.model_copy(update={"place": place}))])


@pytest.mark.parametrize(
    "place",
    [
        "https://mote.example/hemligt",
        "meet.mote.example/hemligt",
        "Zoom: ZOOM.example/j/123?pwd=hemligt",
        "Rum 3, eller mote.example:8443/hemligt",
        "mote.xn--example-9ya?id=hemligt",
        "Länk (möte.example/#hemligt)",
    ],
)
def test_where_an_online_meeting_is_joined_is_not_told(place: str) -> None:
    assert "hemligt" not in said(at_place(place))
    assert (Kind.LOCATION, "m") not in given_out(at_place(place))


@pytest.mark.parametrize("place", ["Rum 3/4", "Kl. 13/14, sal A/B", "Storg. 5, 2 tr.", "Rum 2.5/3", "Kansliet c/o ABF"])
def test_a_place_to_go_to_is_told(place: str) -> None:
    assert given_out(at_place(place))[Kind.LOCATION, "m"]["description"] == place


def test_words_are_in_the_language_of_the_body() -> None:
    for language, role, kind in (("sv", "Ordförande", "Styrelse"), ("en", "Chair", "Board")):
        found = given_out(scene(bodies=[body(language=language)]))
        assert found[Kind.MEMBERSHIP, "maja-board"]["role"] == role
        assert found[Kind.ORGANIZATION, "board"]["classification"] == kind


@pytest.mark.parametrize("language", ["sv", "en"])
def test_every_role_and_kind_of_body_has_a_word(language: Language) -> None:
    assert set(words.ROLES[language]) == set(MemberRole)
    assert set(words.KINDS[language]) == set(BodyKind)


def test_what_is_gone_leaves_a_mark_and_nothing_else_and_may_come_back() -> None:
    before = kept(scene())
    later, last = NOW + timedelta(days=1), NOW + timedelta(days=2)
    after = kept(scene(bodies=[body(public=False)]), before, later)
    gone = after[Kind.MEETING, "m"]
    assert gone.given(AT) == {
        "id": f"{AT.base}/meeting/m",
        "type": "https://schema.oparl.org/1.1/Meeting",
        "created": NOW.isoformat(),
        "modified": later.isoformat(),
        "deleted": True,
    }
    assert kept(scene(bodies=[body(public=False)]), after, last) == after, "it is gone once"
    again = kept(scene(), after, last)[Kind.MEETING, "m"]
    assert (again.created, again.modified, again.given(AT).get("deleted")) == (NOW, last, None)


def test_what_the_version_before_made_without_its_source_gets_it_and_is_not_gone() -> None:
    whole, later = kept(scene()), NOW + timedelta(days=1)
    before = {key: replace(one, source=None) for key, one in whole.items()}
    assert kept(scene(), before, later) == whole, "made and changed when it was"


def test_who_holds_a_thing_that_changed_has_changed_too() -> None:
    later = NOW + timedelta(days=1)
    told = TOLD.model_copy(update={"agenda": TOLD.agenda[:1] if TOLD.agenda else ()})
    after = kept(scene(meetings=[called(told=told)]), kept(scene(meetings=[called()])), later)
    changed = {key for key, one in after.items() if one.modified == later}
    assert changed == {(Kind.MEETING, "m"), (Kind.AGENDA_ITEM, "m-2")}


scenes = st.builds(
    lambda public, people, meetings, place: scene(
        bodies=[body(public=public), body("other")],
        memberships=[seat(one) for one in people],
        meetings=[called(one, told=TOLD.model_copy(update={"place": place})) for one in meetings],
    ),
    st.booleans(),
    st.sets(st.sampled_from(["maja", "olof"])),
    st.sets(st.sampled_from(["m", "n", "o"])),
    st.sampled_from(["Forsby", "Sandvik"]),
)


@given(st.lists(scenes, min_size=1, max_size=4))
def test_whatever_happens_a_client_that_asks_for_what_changed_has_what_there_is(steps: list[Scene]) -> None:
    store: dict[Key, Kept] = {}
    client: dict[Key, Fields] = {}
    for number, step in enumerate(steps):
        at = NOW + timedelta(hours=number)
        store = kept(step, store, at)
        client |= {key: one.given(AT) for key, one in store.items() if one.modified >= at}
        assert client == {key: one.given(AT) for key, one in store.items()}
        alive = {key for key, one in store.items() if one.fields is not None}
        assert alive == {thing.key for thing in open_things(step, AT)}
        for one in client.values():
            assert specification.problems(one) == []


def test_the_same_again_changes_nothing() -> None:
    assert settled(kept(scene()), open_things(scene(), AT), AT, NOW + timedelta(days=1)) == ()
    renamed = replace(scene(), name="Norrdalen")
    changed = settled(kept(scene()), open_things(renamed, AT), AT, NOW)
    assert {one.kind for one in changed} == {Kind.BODY, Kind.SYSTEM}


class _Nothing:
    """Of which nothing was ever public."""

    async def object(self, kind: Kind, thing_id: str) -> Kept:
        raise NotFound("there is no such object")


class _Once:
    """Of which each address has the same object."""

    addresses = AT

    def __init__(self, found: Kept) -> None:
        self._found = found

    async def object(self, kind: Kind, thing_id: str) -> Kept:
        return self._found


class _Broken:
    """Which does not answer."""

    async def object(self, kind: Kind, thing_id: str) -> Kept:
        raise Unavailable("the database does not answer")


def asking(queries: object, limit: RateLimit | None = None) -> httpx.AsyncClient:
    app = create_app("test", description="", access=Access((), None), max_body_bytes=1, checks={})
    app.include_router(api.router(cast(OpenQueries, queries), Proxies(), limit=limit))
    transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
    return httpx.AsyncClient(transport=transport, base_url="http://meetings")


@pytest.mark.parametrize(
    ("since", "status"),
    [
        ("Mon, 26 Sep 2022 08:00:00 GMT", 304),
        ("Mon, 26 Sep 2022 08:00:01 GMT", 200),
        ("Thu, 01 Jan 2099 00:00:00 GMT", 200),
        ("Mon, 01 Jan 99999999999 00:00:00 GMT", 200),
    ],
)
async def test_only_the_time_that_a_client_was_told_is_known(since: str, status: int) -> None:
    async with asking(_Once(kept(scene())[Kind.MEETING, "m"])) as client:
        answer = await client.get("/oparl/meeting/m", headers={"if-modified-since": since})
    assert answer.status_code == status


@pytest.mark.parametrize("thing_id", [["a"], None, 7, {}, "", "a/b"])
async def test_a_place_in_a_list_that_is_none_is_refused(thing_id: object) -> None:
    place = json.dumps(["2026-01-01T00:00:00+00:00", thing_id]).encode()
    async with asking(_Nothing()) as client:
        answer = await client.get("/oparl/meeting", params={"after": base64.urlsafe_b64encode(place).decode()})
    assert answer.status_code == 422
    assert "links.next" in answer.json()["hint"]


async def test_a_script_may_ask_whether_it_has_the_same_still_and_reads_when_to_come_again() -> None:
    asked = {"origin": "https://other.example", "access-control-request-method": "GET"}
    async with asking(_Broken()) as client:
        for address in ("/oparl", "/oparl/meeting", "/oparl/meeting/m", "/oparl/file/p/content"):
            answer = await client.options(address, headers=asked)
            assert answer.status_code == 204
            assert answer.headers["access-control-allow-origin"] == "*"
            assert answer.headers["access-control-allow-headers"] == "if-none-match, if-modified-since"
        answer = await client.get("/oparl/meeting/m")
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
    assert {"etag", "last-modified"} <= set(answer.headers["access-control-expose-headers"].split(", "))


async def test_who_asks_too_often_waits_and_scripts_may_read_that() -> None:
    async with asking(_Nothing(), RateLimit(burst=2, per_second=0)) as client:
        answers = [await client.get("/oparl/meeting/none") for _ in range(3)]
    assert [one.status_code for one in answers] == [404, 404, 429]
    assert {one.headers["access-control-allow-origin"] for one in answers} == {"*"}


class _OneRow:
    """A transaction in which one meeting was posted, and has been taken down since its objects were made."""

    def __init__(self, state: list[str], let: asyncio.Event) -> None:
        self._state, self._let = state, let

    async def open_mark(self, organisation: str) -> str:
        return "of now"

    async def open_state(self, organisation: str, *, for_update: bool = False) -> str:
        return self._state[0]

    async def save_open_state(self, organisation: str, mark: str) -> None:
        self._state[0] = mark

    async def changed_meetings(self, organisation: str, told: str) -> dict[str, str | None]:
        return {}

    async def save_made_of(self, organisation: str, marks: object) -> None:
        pass

    async def open_objects(self, organisation: str, meeting_ids: object) -> dict[Key, Kept]:
        await self._let.wait()
        return {}

    async def save_open_objects(self, organisation: str, changed: object) -> None:
        pass

    async def open_object(self, organisation: str, kind: Kind, thing_id: str) -> Kept:
        return kept(scene())[Kind.FILE, "p"]

    async def posting(self, organisation: str, publication_id: str) -> Any:
        posted = SimpleNamespace(pdf=PDF)
        return SimpleNamespace(status=Status.REMOVED, posted=posted, body_id="b")

    async def body(self, organisation: str, body_id: str) -> Body | None:
        return None

    async def bodies(self, organisation: str) -> list[Body]:
        return []

    memberships = bodies

    async def people_among(self, organisation: str, ids: object) -> dict[str, Any]:
        return {}

    async def called_meetings(self, organisation: str, *ids: object) -> dict[str, Any]:
        return {}

    meetings_among = people_among


class _Counting:
    """A unit of work that counts the connections that are held."""

    def __init__(self) -> None:
        self.held = 0
        self.let = asyncio.Event()
        self._state = [""]

    async def run(self, work: Any) -> Any:
        self.held += 1
        try:
            return await work(_OneRow(self._state, self.let))
        finally:
            self.held -= 1


def open_queries(unit_of_work: _Counting) -> OpenQueries:
    of = {"organisation": "norrdalen", "name": "Norrdalens förbund", "addresses": AT}
    return OpenQueries(cast(Any, unit_of_work), ManualClock(NOW), blobs=cast(Any, None), **cast(Any, of))


async def test_while_one_makes_the_objects_anew_the_others_hold_no_connection() -> None:
    unit_of_work = _Counting()
    queries = open_queries(unit_of_work)
    asking_now = [asyncio.create_task(queries.system()) for _ in range(5)]
    for _ in range(20):  # each comes as far as it can
        await asyncio.sleep(0)
    assert unit_of_work.held == 1
    unit_of_work.let.set()
    assert len(await asyncio.gather(*asking_now)) == 5


async def test_a_file_that_was_taken_down_is_gone_though_its_object_is_not_made_anew_yet() -> None:
    unit_of_work = _Counting()
    unit_of_work.let.set()
    with pytest.raises(Gone):
        await open_queries(unit_of_work).content("p")
