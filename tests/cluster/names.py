"""The cluster's DNS: addresses of Services, as the API server has them. Answers by UDP.

Enough for names of Services in resolv.conf's search path; whatever else is asked for does not exist.
"""

import json
import socket
import ssl
import struct
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

DOMAIN = "cluster.local"
_TYPE_A = 1
_NO_SUCH_NAME = 3
_SECONDS = 1  # to the next look, and to live


def serve(address: str, kubeconfig: Path, meanwhile: Callable[[], None]) -> None:
    """For ever, at port 53; does `meanwhile` at each look for new Services."""
    listener = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    listener.bind((address, 53))
    listener.settimeout(_SECONDS)
    addresses: dict[str, str] = {}
    looked_at = 0.0
    while True:
        if time.monotonic() - looked_at > _SECONDS:
            addresses = _look(kubeconfig) or addresses
            looked_at = time.monotonic()
            meanwhile()
        try:
            query, asker = listener.recvfrom(512)
        except TimeoutError:
            continue
        listener.sendto(answer(query, addresses), asker)


def answer(query: bytes, addresses: dict[str, str]) -> bytes:
    """To a query of one question (RFC 1035, 4.1); AAAA of a name that is known is an empty answer."""
    labels, place = [], 12
    while length := query[place]:
        labels.append(query[place + 1 : place + 1 + length].decode("ascii", "replace").lower())
        place += 1 + length
    question = query[12 : place + 5]
    (kind,) = struct.unpack_from("!H", query, place + 1)
    address = addresses.get(".".join(labels))
    record = b""
    if address is not None and kind == _TYPE_A:
        numbers = bytes(map(int, address.split(".")))
        record = struct.pack("!HHHIH", 0xC00C, _TYPE_A, 1, _SECONDS, 4) + numbers
    flags = 0x8580 | (0 if address is not None else _NO_SUCH_NAME)  # a response, of authority, recursion offered
    return query[:2] + struct.pack("!HHHHH", flags, 1, bool(record), 0, 0) + question + record


def _look(kubeconfig: Path) -> dict[str, str] | None:
    """None while the API server does not answer."""
    config = json.loads(kubeconfig.read_text())
    cluster, user = config["clusters"][0]["cluster"], config["users"][0]["user"]
    request = urllib.request.Request(
        f"{cluster['server']}/api/v1/services", headers={"authorization": f"Bearer {user['token']}"}
    )
    trust = ssl.create_default_context(cafile=cluster["certificate-authority"])
    try:
        with urllib.request.urlopen(request, context=trust, timeout=2) as reply:
            return addresses_of(json.load(reply)["items"])
    except OSError:
        return None


def addresses_of(services: list[dict[str, Any]]) -> dict[str, str]:
    return {
        f"{one['metadata']['name']}.{one['metadata']['namespace']}.svc.{DOMAIN}": one["spec"]["clusterIP"]
        for one in services
        if one["spec"].get("clusterIP", "None") != "None"
    }
