"""Whose address a request came from, behind proxies that say so: `X-Forwarded-For`, or `Forwarded` (RFC 7239).

Both headers list, from left to right, whom each hop saw: only what our own proxies wrote at the right end is true; all
to the left of it is what a client chose to send. How much of the end is ours is known by the proxies' addresses, or by
their number. Which of the two is ours is a setting: the other one is a client's own.
"""

import ipaddress
import re
from dataclasses import dataclass

from fastapi import Request

from shared.settings import BadConfiguration, Settings, TrustedHeader

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network

_UNKNOWN_PEER = "0.0.0.0"  # noqa: S104  (a Unix socket, say)
_MOST_HOPS = 100
# One element of `Forwarded`: quoted strings may hold commas and semicolons (RFC 7239, section 4; RFC 9110, 5.6.4).
_ELEMENT = re.compile(r'(?:"(?:[^"\\]|\\.)*"|[^",])+')
_PAIR = re.compile(r'(?:^|;)\s*([A-Za-z]+)\s*=\s*("(?:[^"\\]|\\.)*"|[^;"]*)')


@dataclass(frozen=True, slots=True)
class Proxies:
    """Whom we believe. `networks`: the proxies' addresses, the direct peer's among them; with none, nobody is believed.

    `hops`: how many proxies stand between a client and us. With 0 the nearest address outside `networks` is the
    client's, so that a client within them could name any; with a number the client's stands that far from the end, and
    `networks` only says whose headers count (none: everybody's, where only proxies can reach us).

    `header`: the one that the proxies write, and the only one that is read. With `either` it is the one that came; of
    two that name different clients one is a forgery, and neither is believed.
    """

    networks: tuple[Network, ...] = ()
    hops: int = 0
    header: TrustedHeader = "either"

    @classmethod
    def of(cls, settings: Settings) -> "Proxies":
        """Raises BadConfiguration."""
        return cls.parsed(settings.trusted_proxies, settings.trusted_hops, settings.trusted_header)

    @classmethod
    def parsed(cls, networks: str, hops: int = 0, header: TrustedHeader = "either") -> "Proxies":
        """`networks`: addresses or networks with commas between. Raises BadConfiguration."""
        items = [item.strip() for item in networks.split(",") if item.strip()]
        try:
            return cls(tuple(ipaddress.ip_network(item, strict=False) for item in items), hops, header)
        except ValueError as error:
            raise BadConfiguration(f"JUSTERA_TRUSTED_PROXIES: {error}") from error

    def believe(self, address: Address) -> bool:
        return any(address in network for network in self.networks)


def client_ip(request: Request, proxies: Proxies) -> str:
    """The address that a history records: the peer's, or, from a trusted proxy, the client's that it tells.

    What is no address (`unknown`, `_hidden`, rubbish) ends the search at the proxy that said so.
    """
    peer = request.client.host if request.client else _UNKNOWN_PEER
    address = _address(peer)
    if address is None:
        return peer
    if proxies.hops and proxies.networks and not proxies.believe(address):
        return str(address)
    found = {_client([address, *reversed(seen)], proxies) for seen in _told(request, proxies.header)}
    return found.pop() if len(found) == 1 else str(address)


def _client(nearest_first: list[Address | None], proxies: Proxies) -> str:
    return _counted(nearest_first, proxies.hops) if proxies.hops else _outside(nearest_first, proxies)


def _counted(nearest_first: list[Address | None], hops: int) -> str:
    """A list that is too short came by a shorter way: its far end is the client."""
    found = str(nearest_first[0])
    for address in nearest_first[1 : hops + 1]:
        if address is None:
            break
        found = str(address)
    return found


def _outside(nearest_first: list[Address | None], proxies: Proxies) -> str:
    found = str(nearest_first[0])
    for address in nearest_first:
        if address is None:
            break
        found = str(address)
        if not proxies.believe(address):
            break
    return found


def _told(request: Request, header: TrustedHeader) -> list[list[Address | None]]:
    """By each header that came and may be read: whom each hop saw, ours last.

    A proxy may add a header of its own below the one that the client sent: all of them count, in their order.
    """
    told: list[list[Address | None]] = []
    # The end is what our proxies wrote, so that is kept of a list of any length.
    if header != "forwarded" and (plain := request.headers.getlist("x-forwarded-for")):
        told.append([_address(node) for node in ",".join(plain).split(",")[-_MOST_HOPS:]])
    if header != "x-forwarded-for" and (rfc7239 := request.headers.getlist("forwarded")):
        elements = _ELEMENT.findall(",".join(rfc7239))
        told.append([_address(_node(element)) for element in elements[-_MOST_HOPS:] if element.strip()])
    return told


def _node(element: str) -> str:
    """The `for` of an element of `Forwarded`; empty without."""
    pairs = _PAIR.findall(element.strip())
    return next((value.strip() for name, value in pairs if name.lower() == "for"), "")


def _address(node: str) -> Address | None:
    """Of `203.0.113.5`, `203.0.113.5:51234`, `2001:db8::58`, `[2001:db8::58]:443`, quoted or not; None for other text.

    A zone (`%eth0`) is cut off: it means nothing elsewhere, and may be any text.
    """
    text = node.strip().strip('"').strip()
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        address = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address


def network_key(ip: str) -> str:
    """By what a limit counts an address: an IPv6 client has a whole /64 to choose from."""
    address = _address(ip)
    if isinstance(address, ipaddress.IPv6Address):
        return str(ipaddress.ip_network((address, 64), strict=False))
    return ip
