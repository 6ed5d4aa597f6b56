"""Links, sessions, CSRF tokens, return paths: a mutation of a genuine one is refused, and nothing else is raised."""

import random
import uuid
from collections.abc import Callable

import pytest

from services.notifications import verp
from shared import links
from shared.auth import Access, Role, TokenRecord, token_hash
from shared.errors import JusteraError, NotAllowed, NotAuthenticated
from shared.keys import new_keys, parse_keys
from shared.links import BadLink, Link
from tests.support.sessions import principal_of, with_sessions

RING = parse_keys(new_keys(), "KEYS")
OTHER_RING = parse_keys(new_keys(), "KEYS")
LINK = Link("sign", "norrdalen", str(uuid.uuid4()), 1)
TOKEN = TokenRecord(name="sender", role=Role.SECRETARY, organisation="norrdalen", sha256=token_hash("genuine"))
ACCESS = with_sessions(Access((TOKEN,), b"k" * 32))
_ODD = "\0\n =+/.-_~%åÅ\u202e\ud800\U0001f600AZaz09"


def mutations(text: str, number: int, seed: int) -> list[str]:
    """Characters changed, dropped, added, doubled; cut; swapped; spelled otherwise."""
    rng = random.Random(seed)
    found = {"", " ", text + "=", text + "A", " " + text, text + "\n", text.upper(), text.swapcase(), text * 2}
    found |= {text[:cut] for cut in range(0, len(text), 7)}
    while len(found) < number:
        at = rng.randrange(len(text))
        kind = rng.randrange(3)
        found.add(text[:at] + (rng.choice(_ODD) if kind else "") + text[at + (kind < 2) :])
    return sorted(found - {text})


def refused(read: Callable[[str], object], text: str, number: int, seed: int) -> None:
    for mutated in mutations(text, number, seed):
        with pytest.raises(JusteraError):
            read(mutated)


def test_mutated_links() -> None:
    token = links.issue(RING, LINK)
    assert links.read(RING, "sign", token) == LINK
    refused(lambda one: links.read(RING, "sign", one), token, 1500, 1)


@pytest.mark.parametrize(
    "other",
    [
        Link("copy", LINK.organisation, LINK.subject, LINK.version),
        Link("session", LINK.organisation, LINK.subject, LINK.version),
    ],
)
def test_a_link_of_another_purpose_or_key(other: Link) -> None:
    with pytest.raises(BadLink):
        links.read(RING, "sign", links.issue(RING, other))
    with pytest.raises(BadLink):
        links.read(RING, "sign", links.issue(OTHER_RING, LINK))


def test_parts_of_two_genuine_links_do_not_mix() -> None:
    other = Link("sign", "elsewhere", str(uuid.uuid4()), 2)
    one, two = (links.issue(RING, link).split(".") for link in (LINK, other))
    for mask in range(1, 31):
        mixed = ".".join(two[place] if mask >> place & 1 else one[place] for place in range(5))
        if mixed not in (".".join(one), ".".join(two)):
            with pytest.raises(BadLink):
                links.read(RING, "sign", mixed)


async def test_mutated_sessions_and_those_of_another_purpose() -> None:
    cookie = await ACCESS.open_session(principal_of(TOKEN))
    assert (await ACCESS.by_session(cookie)).organisation == "norrdalen"
    for mutated in mutations(cookie, 1000, 2):
        try:
            assert await ACCESS.by_session(mutated) == await ACCESS.by_session(
                cookie
            )  # another spelling of the same base64
        except NotAuthenticated:
            continue
        assert mutated.rstrip("=\n ").lower() == cookie.lower() or len(mutated) >= len(cookie) - 1
    signer = ACCESS.sign("signer", {"o": "norrdalen", "r": "operator", "n": "x"}, 60)
    for foreign in (signer, ACCESS.sign("session", {"o": "norrdalen", "r": "operator", "n": "x"}, -1)):
        with pytest.raises(NotAuthenticated):
            await ACCESS.by_session(foreign)


def test_mutated_csrf_tokens_and_those_of_another_session() -> None:
    token = ACCESS.csrf_token("cookie")
    for mutated in [*mutations(token, 500, 3), ACCESS.csrf_token("other")]:
        if "\ud800" not in mutated:
            with pytest.raises(NotAllowed):
                ACCESS.check_csrf("cookie", mutated)


def test_mutated_bearer_tokens() -> None:
    for mutated in mutations("genuine", 300, 4):
        if "\ud800" not in mutated:
            with pytest.raises(NotAuthenticated):
                ACCESS.by_token(mutated)


def test_mutated_return_paths_name_no_other_delivery() -> None:
    delivery = str(uuid.uuid4())
    token = verp.encode(delivery, organisation="norrdalen", ring=RING)
    for mutated in mutations(token, 1500, 5):
        try:
            found = verp.decode(mutated, organisations=["norrdalen"], ring=RING)
        except JusteraError:
            continue
        assert (found.organisation, found.delivery_id) == ("norrdalen", delivery)
    with pytest.raises(JusteraError):
        verp.decode(token, organisations=["elsewhere"], ring=RING)
