"""Return paths: only we can make them, and they survive what mail servers do to addresses."""

import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.notifications import verp
from services.notifications.verp import SignedDelivery
from shared.errors import InvalidInput
from shared.keys import KeyRing

RING = KeyRing("k2", {"k2": b"2" * 32, "k1": b"1" * 32})
DELIVERY = "01890a5d-ac96-774b-bcce-b302099a8057"


def a_token(**changes: str) -> str:
    return verp.encode(changes.get("delivery", DELIVERY), organisation=changes.get("of", "norrdalen"), ring=RING)


def decode(local_part: str, ring: KeyRing = RING) -> SignedDelivery:
    return verp.decode(local_part, organisations=["bjorka", "norrdalen"], ring=ring)


@given(st.uuids(), st.sampled_from(["bjorka", "norrdalen"]), st.randoms())
def test_a_token_returns_in_any_case(delivery: uuid.UUID, organisation: str, random: object) -> None:
    token = verp.encode(str(delivery), organisation=organisation, ring=RING)
    shouted = "".join(each.upper() if index % 3 else each for index, each in enumerate("bounces+" + token))
    for spelling in (token, token.upper(), f"bounces+{token}", shouted):
        assert decode(spelling) == SignedDelivery(organisation, str(delivery))


def test_the_local_part_fits_even_with_the_longest_key_id() -> None:
    ring = KeyRing("k" * 8, {"k" * 8: b"1" * 32})
    address = verp.return_path(verp.encode(DELIVERY, organisation="x" * 100, ring=ring), "norrdalen.example")
    assert len(address.partition("@")[0]) <= 64


@given(st.integers(0, 44), st.sampled_from("abcdefghijklmnopqrstuvwxyz234567"))
def test_a_changed_character_is_refused(position: int, character: str) -> None:
    token = a_token()
    at = position + len("k2-")
    if token[at] == character:
        return
    with pytest.raises(InvalidInput):
        decode(token[:at] + character + token[at + 1 :])


def test_a_delivery_has_one_spelling_only() -> None:
    alphabet = "abcdefghijklmnopqrstuvwxyz234567"
    token = a_token()
    with pytest.raises(InvalidInput):
        decode(token[:-1] + alphabet[alphabet.index(token[-1]) ^ 1])


@given(st.text(max_size=80))
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(InvalidInput):
        decode(text)


def test_another_organisations_token_is_refused() -> None:
    with pytest.raises(InvalidInput):
        decode(a_token(of="tallnas"))


def test_a_token_of_another_key_under_our_key_id_is_refused() -> None:
    stranger = KeyRing("k2", {"k2": b"?" * 32})
    with pytest.raises(InvalidInput):
        decode(verp.encode(DELIVERY, organisation="norrdalen", ring=stranger))


def test_an_old_key_verifies_until_it_is_removed() -> None:
    old = verp.encode(DELIVERY, organisation="norrdalen", ring=KeyRing("k1", RING.keys))
    assert decode(old).delivery_id == DELIVERY
    with pytest.raises(InvalidInput):
        decode(old, KeyRing("k2", {"k2": RING.keys["k2"]}))


def test_a_key_id_that_no_local_part_can_hold_is_a_mistake_of_ours() -> None:
    with pytest.raises(ValueError, match="1 to 8"):
        verp.encode(DELIVERY, organisation="norrdalen", ring=KeyRing("ninechars", {"ninechars": b"1" * 32}))


def test_a_token_is_found_in_headers_but_not_inside_other_addresses() -> None:
    token = a_token()
    header = f'"Studs" <Bounces+{token.upper()}@Norrdalen.Example>'
    assert verp.token_in(header) == token
    assert verp.token_in(header, domains={"norrdalen.example"}) == token
    assert verp.token_in(header, domains={"example"}) is None
    assert verp.token_in(f"not-bounces+{token}@norrdalen.example") is None
    assert verp.token_in(f"bounces+{token}@norrdalen.example.evil.example", domains={"norrdalen.example"}) is None


@given(st.text(alphabet=[chr(code) for code in range(33, 127)], max_size=60))
def test_xtext_returns(text: str) -> None:
    encoded = verp.to_xtext(text)
    assert "=" not in encoded
    assert verp.from_xtext(encoded) == text


def test_a_token_is_its_own_xtext() -> None:
    assert verp.to_xtext(a_token()) == a_token()


MEETINGS_PERSON = verp.invitation_id("norrdalen", "meeting", "person", "olof@norrdalen.example", 1)


def organiser(ring: KeyRing = RING) -> str:
    return verp.organiser(MEETINGS_PERSON, "norrdalen.example", organisation="norrdalen", ring=ring)


def test_an_organiser_is_one_address_for_a_person_and_a_meeting_also_when_a_newer_key_comes() -> None:
    assert organiser(KeyRing("k1", {"k1": b"1" * 32})) == organiser()
    assert MEETINGS_PERSON not in {
        verp.invitation_id(*others)
        for others in (
            ("norrdalen", "meeting", "other", "olof@norrdalen.example", 1),
            ("bjorka", "meeting", "person", "olof@norrdalen.example", 1),
            ("norrdalen", "meetingp", "erson", "olof@norrdalen.example", 1),
            ("norrdalen", "meeting", "person", "olaf@norrdalen.example", 1),
            ("norrdalen", "meeting", "person", "olof@norrdalen.example", 2),
        )
    }
    assert verp.invitation_id("norrdalen", "meeting", "person", "Olof@Norrdalen.example", 1) == MEETINGS_PERSON
    local_part = organiser().partition("@")[0]
    assert len(local_part) <= 64
    read = verp.decode_organiser(local_part.upper(), organisations=["bjorka", "norrdalen"], ring=RING)
    assert (read.organisation, read.invitation_id) == ("norrdalen", MEETINGS_PERSON)


def test_an_organiser_is_no_return_path_nor_the_other_way_about() -> None:
    local_part = organiser().partition("@")[0]
    assert verp.organiser_in(f"To: <{organiser().upper()}>", domains={"norrdalen.example"}) == local_part
    assert verp.token_in(organiser()) is verp.organiser_in(verp.return_path(a_token(), "norrdalen.example")) is None
    with pytest.raises(InvalidInput):
        decode(local_part.removeprefix("answers+"))
    with pytest.raises(InvalidInput):
        verp.decode_organiser(f"answers+{a_token()}", organisations=["norrdalen"], ring=RING)
