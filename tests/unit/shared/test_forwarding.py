"""Whose address a history records, behind proxies or not."""

import pytest
from fastapi import Request
from hypothesis import given
from hypothesis import strategies as st

from shared.forwarding import Proxies, client_ip, network_key
from shared.settings import BadConfiguration, TrustedHeader, load_settings

OURS = "10.0.0.0/8"
HEADERS: list[TrustedHeader] = ["either", "x-forwarded-for", "forwarded"]


def _request(peer: str | None, *forwarded: str, rfc7239: tuple[str, ...] = ()) -> Request:
    headers = [(b"x-forwarded-for", value.encode()) for value in forwarded]
    headers += [(b"forwarded", value.encode()) for value in rfc7239]
    return Request({"type": "http", "headers": headers, "client": (peer, 1) if peer else None})


@pytest.mark.parametrize(
    ("peer", "forwarded", "trusted", "recorded"),
    [
        ("192.0.2.7", (), "", "192.0.2.7"),
        ("192.0.2.7", ("198.51.100.1",), "", "192.0.2.7"),
        ("10.0.0.1", ("198.51.100.1",), OURS, "198.51.100.1"),
        ("10.0.0.1", ("203.0.113.9, 198.51.100.1, 10.0.0.2",), OURS, "198.51.100.1"),
        # The client's own header comes first; the proxy's, below it, is the one that counts.
        ("10.0.0.1", ("203.0.113.9", "198.51.100.1"), OURS, "198.51.100.1"),
        ("10.0.0.1", ("unknown",), OURS, "10.0.0.1"),
        ("10.0.0.1", ("203.0.113.9, unknown, 10.0.0.2",), OURS, "10.0.0.2"),
        ("10.0.0.1", (), OURS, "10.0.0.1"),
        ("::ffff:10.0.0.1", ("2001:db8::5",), OURS, "2001:db8::5"),
        ("2001:DB8:0::1", (), "", "2001:db8::1"),
        ("10.0.0.1", ("fe80::1%<b>x</b>",), OURS, "fe80::1"),
        (None, ("198.51.100.1",), OURS, "0.0.0.0"),
        ("10.0.0.1", ("203.0.113.5:51234",), OURS, "203.0.113.5"),
        ("10.0.0.1", ('"[2001:db8::58]:443"',), OURS, "2001:db8::58"),
        ("10.0.0.1", ("[2001:db8::58]",), OURS, "2001:db8::58"),
        ("10.0.0.1", ("203.0.113.5:51234, 10.0.0.9:80",), OURS, "203.0.113.5"),
        ("10.0.0.1", ("203.0.113.5:x",), OURS, "203.0.113.5"),
    ],
)
def test_the_address_that_a_history_records(
    peer: str | None, forwarded: tuple[str, ...], trusted: str, recorded: str
) -> None:
    assert client_ip(_request(peer, *forwarded), Proxies.parsed(trusted)) == recorded


@pytest.mark.parametrize(
    ("forwarded", "recorded"),
    [
        (("for=203.0.113.5",), "203.0.113.5"),
        (('For="[2001:db8::58]:443"',), "2001:db8::58"),
        (('for="203.0.113.5:51234";proto=https;by=10.0.0.2',), "203.0.113.5"),
        (("for=192.0.2.60;proto=http, for=198.51.100.17", "for=10.0.0.3"), "198.51.100.17"),
        (('by="a, for=192.0.2.1";for=198.51.100.17',), "198.51.100.17"),
        (('host="x;for=192.0.2.1";for=198.51.100.17',), "198.51.100.17"),
        (("for=_hidden, for=10.0.0.3",), "10.0.0.3"),
        (("for=unknown",), "10.0.0.1"),
        (("proto=https",), "10.0.0.1"),
    ],
)
def test_forwarded_as_rfc_7239_writes_it(forwarded: tuple[str, ...], recorded: str) -> None:
    assert client_ip(_request("10.0.0.1", rfc7239=forwarded), Proxies.parsed(OURS)) == recorded


@pytest.mark.parametrize("hops", [0, 1])
@pytest.mark.parametrize(
    ("header", "recorded"), [("x-forwarded-for", "198.51.100.1"), ("forwarded", "203.0.113.9"), ("either", "10.0.0.1")]
)
def test_a_header_that_our_proxy_does_not_write_is_not_believed_beside_the_one_that_it_does(
    header: TrustedHeader, recorded: str, hops: int
) -> None:
    """Without the setting nobody can tell which one a client made up: the proxy's own address is true, at least."""
    request = _request("10.0.0.1", "198.51.100.1", rfc7239=("for=203.0.113.9",))
    assert client_ip(request, Proxies.parsed(OURS, hops, header)) == recorded


def test_a_client_chooses_no_address_by_the_header_that_our_proxy_does_not_write() -> None:
    only_theirs = _request("10.0.0.1", "203.0.113.9")
    assert client_ip(only_theirs, Proxies.parsed(OURS, header="forwarded")) == "10.0.0.1"
    only_theirs = _request("10.0.0.1", rfc7239=("for=203.0.113.9",))
    assert client_ip(only_theirs, Proxies.parsed(OURS, header="x-forwarded-for")) == "10.0.0.1"


def test_two_headers_that_agree_are_believed() -> None:
    request = _request("10.0.0.1", "203.0.113.9, 198.51.100.1:443", rfc7239=('for="198.51.100.1:51234"',))
    assert client_ip(request, Proxies.parsed(OURS)) == "198.51.100.1"


def test_the_headers_name_is_taken_in_any_case(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JUSTERA_TRUSTED_HEADER", "X-Forwarded-For")
    assert Proxies.of(load_settings()).header == "x-forwarded-for"
    monkeypatch.setenv("JUSTERA_TRUSTED_HEADER", "X-Real-IP")
    with pytest.raises(BadConfiguration, match=r"JUSTERA_TRUSTED_HEADER: .*x-forwarded-for"):
        load_settings()


@pytest.mark.parametrize(
    ("peer", "forwarded", "trusted", "hops", "recorded"),
    [
        # A client within the trusted network writes a header of its own: the count tells it from the proxies'.
        ("10.0.0.1", "203.0.113.9, 10.4.4.4", OURS, 0, "203.0.113.9"),
        ("10.0.0.1", "203.0.113.9, 10.4.4.4", OURS, 1, "10.4.4.4"),
        ("10.0.0.1", "203.0.113.9, 198.51.100.1, 10.0.0.2", OURS, 2, "198.51.100.1"),
        ("10.0.0.1", "203.0.113.9, 198.51.100.1, 10.0.0.2", "", 2, "198.51.100.1"),
        ("192.0.2.7", "203.0.113.9, 198.51.100.1", OURS, 2, "192.0.2.7"),
        ("10.0.0.1", "198.51.100.1", OURS, 2, "198.51.100.1"),
        ("10.0.0.1", "203.0.113.9, unknown, 10.0.0.2", OURS, 2, "10.0.0.2"),
    ],
)
def test_the_count_of_hops_finds_the_client(peer: str, forwarded: str, trusted: str, hops: int, recorded: str) -> None:
    assert client_ip(_request(peer, forwarded), Proxies.parsed(trusted, hops)) == recorded


@given(
    st.text(st.characters(max_codepoint=255)),
    st.text(st.characters(max_codepoint=255)),
    st.integers(0, 3),
    st.sampled_from(HEADERS),
)
def test_no_header_breaks_it(plain: str, rfc7239: str, hops: int, header: TrustedHeader) -> None:
    headers = [(b"x-forwarded-for", plain.encode("latin-1")), (b"forwarded", rfc7239.encode("latin-1"))]
    request = Request({"type": "http", "headers": headers, "client": ("10.0.0.1", 1)})
    assert client_ip(request, Proxies.parsed(OURS, hops, header))


def test_a_wrong_network_is_told_by_its_setting() -> None:
    with pytest.raises(BadConfiguration, match="JUSTERA_TRUSTED_PROXIES"):
        Proxies.parsed("10.0.0.0/8, ingress")


def test_limits_count_a_network_of_ipv6_as_one() -> None:
    assert network_key("2001:db8::1") == network_key("2001:db8::ffff") != network_key("2001:db8:0:1::1")
    assert network_key("192.0.2.1") != network_key("192.0.2.2")
