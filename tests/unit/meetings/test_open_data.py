"""Open data as OParl 1.1 has them: each kind of object against the specification, what is public, and what is kept."""

import json
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.meetings.body.body import BodyKind
from services.meetings.body.membership import MemberRole
from services.meetings.meeting.meeting import MeetingStatus
from services.meetings.oparl import words
from services.meetings.oparl.keeping import Kept, settled
from services.meetings.oparl.oparl import Fields, Key, Kind, Scene, open_things
from shared.events.notices import AgendaLine
from shared.rendering.minutes import Language
from shared.rendering.public import Mask
from tests.oparl import specification
from tests.unit.meetings.open_scene import (
    AT,
    DETAILS,
    MINUTES,
    NOW,
    TOLD,
    body,
    called,
    given_out,
    kept,
    said,
    scene,
    seat,
)


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
