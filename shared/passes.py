"""A pass: how a browser that is logged in to signing gets into another service, which keeps sessions of its own.

The service sends the browser to signing with a way: the hash of a secret that it left in that browser. Signing, where
the browser is logged in, sends it back with a pass: signed for that one service, for a minute, once, on that way. So
nobody is logged in by a pass that was made for another browser, service or moment. It is signed with the key that
signing signs events for the service with: what each may believe of the other is the same, and no secret is added.
"""

import base64
import hashlib
import re
import secrets
from http import HTTPStatus
from typing import Annotated, ClassVar
from urllib.parse import unquote

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from shared.errors import NotAuthenticated
from shared.keys import KeyRing
from shared.sessions import SessionKey

PASS_SECONDS = 60
SKEW_SECONDS = 60  # how far the clocks of two machines may be apart
STAFFED = ("archive", "meetings")  # services with pages for those who log in, besides signing

_PURPOSE = "justera-pass"
_LONGEST = 6_000  # characters: an address with the longest way back stays below what proxies take
_LONGEST_WAY_BACK = 1_500
_PATH = re.compile(r"/[!-\[\]-~]*")  # printable ASCII but the backslash, which browsers read as a slash

Hash = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]


class PassRefused(NotAuthenticated):
    """A pass that is forged, too old, used, of another service or browser, or of a login that has ended."""

    slug: ClassVar[str] = "pass-refused"
    status: ClassVar[HTTPStatus] = HTTPStatus.FORBIDDEN


class Pass(BaseModel):
    """What signing vouches for. `left`: seconds that the login holds, a duration, so that no clock matters."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    id: str = Field(pattern=r"^[A-Za-z0-9_-]{22,64}$")
    organisation: str
    token: Hash = Field(description="SHA-256 of the token that the login was opened with")
    login: Hash
    way: Hash
    to: str = Field(description="where the browser wanted to go: a path")
    left: int
    made: int = Field(description="Unix seconds")


def hash_of(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


def login_of(key: SessionKey) -> str:
    """A login as other services know it: from the hash nobody finds the session."""
    return hash_of(f"{key.organisation}\0{key.id}")


def is_way(text: str) -> bool:
    return re.fullmatch("[0-9a-f]{64}", text) is not None


def is_way_back(path: str, below: str) -> bool:
    """Whether a browser may be sent there: a path of the service that answers below `below`, on this host and port.
    Browsers climb by `%2e%2e`, too, and services answer at `%6cogin` (WHATWG URL, "double-dot URL path segment")."""
    plain = unquote(re.split("[?#]", path)[0])
    within = path.startswith(f"{below}/") and _PATH.fullmatch(path) is not None and len(path) <= _LONGEST_WAY_BACK
    return within and ".." not in plain.split("/") and not plain.startswith(f"{below}/login/")


def new_pass(key: SessionKey, *, way: str, to: str, left: int, now: float) -> Pass:
    return Pass(
        id=secrets.token_urlsafe(24),
        organisation=key.organisation,
        token=key.token,
        login=login_of(key),
        way=way,
        to=to,
        left=left,
        made=int(now),
    )


def write(ring: KeyRing, service: str, one: Pass) -> str:
    """`service`: the only one that it opens."""
    body = _b64(one.model_dump_json().encode())
    return f"{ring.current}.{body}.{_b64(ring.mac(ring.current, _PURPOSE, service, body) or b'')}"


def read(ring: KeyRing, service: str, text: str, *, now: float) -> Pass:
    """Whether it was used before is asked where that is kept. Raises PassRefused."""
    one = _vouched(ring, service, text)
    if one is None or one.left <= 0 or not -SKEW_SECONDS <= now - one.made <= PASS_SECONDS + SKEW_SECONDS:
        raise PassRefused("the pass is not valid here", hint="open the page again")
    return one


def _vouched(ring: KeyRing, service: str, text: str) -> Pass | None:
    key_id, body, given = parts if len(parts := text.split(".")) == 3 else ("", "", "")
    mac = ring.mac(key_id, _PURPOSE, service, body) if len(text) <= _LONGEST and text.isascii() else None
    return _opened(body) if mac is not None and secrets.compare_digest(_b64(mac), given) else None


def _opened(body: str) -> Pass | None:
    try:
        return Pass.model_validate_json(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))
    except (ValidationError, ValueError):  # a version of signing that says other things
        return None


def _b64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")
