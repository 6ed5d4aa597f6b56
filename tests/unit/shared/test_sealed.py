"""What an event carries for one reader: it opens under the right key, for what it is of, and nowhere else."""

from hypothesis import given
from hypothesis import strategies as st

from shared.keys import KeyRing, new_keys, parse_keys
from shared.sealed import seal, unseal

RING = parse_keys(new_keys(), "KEYS")
LINK = "https://mote.norrdalen.example/styrelsen?kod=åäö"


def test_it_is_read_by_who_has_the_key_and_looks_like_nothing_to_others() -> None:
    sealed = seal(RING, "join-link", "norrdalen m1", LINK)
    assert unseal(RING, "join-link", "norrdalen m1", sealed) == LINK
    assert "mote" not in sealed
    assert sealed.isascii()
    assert seal(RING, "join-link", "norrdalen m1", LINK) == sealed, "what is told twice is the same fact"


def test_it_opens_for_nothing_else() -> None:
    sealed = seal(RING, "join-link", "norrdalen m1", LINK)
    assert unseal(RING, "join-link", "norrdalen m2", sealed) == ""
    assert unseal(RING, "another", "norrdalen m1", sealed) == ""
    assert unseal(parse_keys(new_keys(), "KEYS"), "join-link", "norrdalen m1", sealed) == ""
    assert unseal(KeyRing("k2", {"k2": b"x" * 32}), "join-link", "norrdalen m1", sealed) == "", "the key was taken out"
    broken = sealed[:-2] + ("AA" if sealed[-2:] != "AA" else "BB")
    assert unseal(RING, "join-link", "norrdalen m1", broken) == ""


def test_a_newer_key_opens_what_an_older_one_sealed() -> None:
    sealed = seal(RING, "join-link", "norrdalen m1", LINK)
    both = KeyRing("k2", {"k2": b"x" * 32, **RING.keys})
    assert unseal(both, "join-link", "norrdalen m1", sealed) == LINK
    assert seal(both, "join-link", "norrdalen m1", LINK).startswith("k2.")


@given(st.text(max_size=60) | st.text("k1.ABab_-=", max_size=60))
def test_whatever_it_is_given_it_says_nothing_or_what_was_sealed(text: str) -> None:
    assert unseal(RING, "join-link", "norrdalen m1", text) == ""
    assert unseal(RING, "join-link", "norrdalen m1", f"k1.{text}") == ""
    assert seal(RING, "join-link", "norrdalen m1", "") == ""
