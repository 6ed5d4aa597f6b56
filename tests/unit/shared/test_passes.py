"""What a pass opens, and what none opens."""

import base64
import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.keys import KeyRing, new_keys, parse_keys
from shared.passes import PASS_SECONDS, SKEW_SECONDS, PassRefused, hash_of, is_way_back, login_of, new_pass, read, write
from shared.sessions import SessionKey

RING = parse_keys(new_keys(), "TEST")
KEY = SessionKey("norrdalen", "ab" * 32, "a session's id, which is no pass")
NOW = 1_790_000_000.5
PASS = new_pass(KEY, way=hash_of("left in the browser"), to="/meetings/office/people?page=2", left=3600, now=NOW)


def test_says_who_is_logged_in_where_and_for_how_long_and_no_secret() -> None:
    text = write(RING, "meetings", PASS)
    assert read(RING, "meetings", text, now=NOW) == PASS
    assert PASS.login == login_of(KEY)
    told = base64.urlsafe_b64decode(text.split(".")[1] + "==").decode()
    assert KEY.id not in told
    assert KEY.id not in text


def test_is_for_one_service() -> None:
    with pytest.raises(PassRefused):
        read(RING, "archive", write(RING, "meetings", PASS), now=NOW)


def test_is_signed_with_a_key_that_both_have() -> None:
    other = parse_keys(new_keys(), "TEST")
    with pytest.raises(PassRefused):
        read(other, "meetings", write(RING, "meetings", PASS), now=NOW)
    rotated = KeyRing("k2", {"k2": other.keys["k1"], "k1": RING.keys["k1"]})
    assert read(rotated, "meetings", write(RING, "meetings", PASS), now=NOW) == PASS


def test_cannot_be_changed() -> None:
    key_id, body, mac = write(RING, "meetings", PASS).split(".")
    claims = json.loads(base64.urlsafe_b64decode(body + "=="))
    changed = base64.urlsafe_b64encode(json.dumps({**claims, "left": 10**9}).encode()).decode().rstrip("=")
    for text in (f"{key_id}.{changed}.{mac}", f"{key_id}.{body}.{mac[:-2]}AA", f"k9.{body}.{mac}", f"{key_id}.{body}"):
        with pytest.raises(PassRefused):
            read(RING, "meetings", text, now=NOW)


@pytest.mark.parametrize(
    ("later", "taken"),
    [
        (PASS_SECONDS, True),
        (PASS_SECONDS + SKEW_SECONDS - 1, True),  # by a clock that is ahead
        (PASS_SECONDS + SKEW_SECONDS + 1, False),
        (1 - SKEW_SECONDS, True),  # by a clock that is behind
        (-SKEW_SECONDS - 1, False),
    ],
)
def test_holds_for_a_minute_by_clocks_that_are_a_minute_apart(later: float, taken: bool) -> None:
    text = write(RING, "meetings", PASS)
    if taken:
        assert read(RING, "meetings", text, now=NOW + later) == PASS
    else:
        with pytest.raises(PassRefused):
            read(RING, "meetings", text, now=NOW + later)


def test_of_a_login_that_is_over_opens_nothing() -> None:
    with pytest.raises(PassRefused):
        read(RING, "meetings", write(RING, "meetings", PASS.model_copy(update={"left": 0})), now=NOW)


@given(st.text())
def test_whatever_else_comes_is_refused(text: str) -> None:
    with pytest.raises(PassRefused):
        read(RING, "meetings", text, now=NOW)


def test_a_login_is_known_by_a_hash_of_its_own() -> None:
    assert login_of(KEY) == login_of(KEY)
    assert len({login_of(KEY), login_of(replace(KEY, organisation="elsewhere")), login_of(replace(KEY, id="b"))}) == 3


@pytest.mark.parametrize("path", ["/meetings/office", "/meetings/office/people?page=2&name=%C3%85sa", "/meetings/a//b"])
def test_a_way_back_is_a_page_of_the_service(path: str) -> None:
    assert is_way_back(path, "/meetings")
    assert is_way_back(f"/justera{path}", "/justera/meetings")
    assert not is_way_back(path, "/archive")


@pytest.mark.parametrize(
    "path",
    [
        "",
        "/",
        "/meetings",
        "/meetingsx/office",
        "//evil.example/meetings/",
        "https://evil.example/meetings/office",
        "/meetings/../signing/overview",
        "/meetings/..",
        "/meetings/%2e%2e/signing/overview",
        "/meetings/office/.%2E/%2e./signing/overview",
        "/meetings/..#office",
        "/meetings/\\evil.example",
        "\\/meetings/office",
        "/meetings/office\r\nset-cookie: a=b",
        "/meetings/å",
        "/meetings/login/pass?pass=again",
        "/meetings/%6cogin/pass?pass=again",
        "/meetings/" + "a" * 1500,
    ],
)
def test_and_nothing_else(path: str) -> None:
    assert not is_way_back(path, "/meetings")
