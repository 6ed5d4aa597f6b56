"""Speaking to a running system: its HTTP API, with the token from the environment or of the local data folder."""

import os
from pathlib import Path
from typing import Any

import httpx
from pydantic import TypeAdapter

from services.cli.options import DEFAULT_DATA
from shared.errors import InvalidInput, JusteraError, NotAllowed, NotAuthenticated, Unavailable
from shared.names import DEFAULT_URL, Role


class ServerSaidNo(JusteraError):
    slug = "server-said-no"


class InputRefused(ServerSaidNo):
    """Of what was sent: a file, say, or an option."""


class NotJustera(JusteraError):
    """Something else answers at the address: a login page, a proxy that leads elsewhere."""

    slug = "not-justera"


_REFUSALS: dict[int, type[JusteraError]] = {401: NotAuthenticated, 403: NotAllowed, 422: InputRefused}
_LONGEST = 2000  # characters of what a server says
_OTHER_ADDRESS = "name the address of Justera itself in JUSTERA_URL"


class Client:
    """`JUSTERA_URL` is the system's address, `JUSTERA_<SERVICE>_URL` one service's; each answers below its name there.

    `JUSTERA_TOKEN` is the bearer token.

    Without a token, that of the data folder on this machine is used.
    """

    def __init__(self, role: Role, data: Path = DEFAULT_DATA, *, seconds: float = 30.0) -> None:
        self._role = role
        self._data = data
        self._seconds = seconds

    def get(self, service: str, path: str, shape: Any, **query: Any) -> Any:
        """The answer's JSON, when it has the shape: a type that pydantic knows. Raises what `_request` does."""
        return self._json(service, self._request("GET", service, path, params=_given(query)), shape)

    def post(self, service: str, path: str, shape: Any, body: Any = None) -> Any:
        """As `get`."""
        return self._json(service, self._request("POST", service, path, json=body), shape)

    def put(self, service: str, path: str, shape: Any, body: Any) -> Any:
        """As `get`."""
        return self._json(service, self._request("PUT", service, path, json=body), shape)

    def text(self, service: str, path: str, **query: Any) -> str:
        """The answer when it is plain text. Raises what `_request` does."""
        response = self._request("GET", service, path, params=_given(query))
        if _media_type(response) != "text/plain":
            raise self._not_justera(service, response)
        return response.text

    def url_of(self, service: str) -> str:
        """Where a service answers; for an empty name, the all-in-one process itself."""
        own = os.environ.get(f"JUSTERA_{service.upper()}_URL") if service else None
        address = (own or self._system_url()).rstrip("/")
        return address if own and address.endswith(f"/{service}") else f"{address}/{service}".rstrip("/")

    def _system_url(self) -> str:
        """From the environment, else where the process of the data folder says it answers."""
        if url := os.environ.get("JUSTERA_URL"):
            return url
        try:
            return (self._data / "address").read_text(encoding="utf-8").strip() or DEFAULT_URL
        except (OSError, UnicodeDecodeError):
            return DEFAULT_URL

    def _request(self, method: str, service: str, path: str, **arguments: Any) -> httpx.Response:
        """Raises ServerSaidNo, NotAuthenticated, NotAllowed, NotJustera, Unavailable; InvalidInput for a bad token."""
        url = f"{self.url_of(service)}{path}"
        headers = {"authorization": f"Bearer {self._token()}"}
        try:
            response = httpx.request(method, url, headers=headers, timeout=self._seconds, **arguments)
        except (httpx.RequestError, httpx.InvalidURL, UnicodeError) as error:
            raise Unavailable(
                f"{service or 'justera'} does not answer at {self.url_of(service)}",
                hint="start it with `justera up`, or name another address in JUSTERA_URL",
            ) from error
        if response.is_error:
            raise _refusal(service, response)
        if not response.is_success:
            raise self._not_justera(service, response)
        return response

    def _json(self, service: str, response: httpx.Response, shape: Any) -> Any:
        """As it came, with what the shape does not name."""
        try:
            found = response.json()
            TypeAdapter(shape).validate_python(found)
        except (ValueError, RecursionError) as error:  # pydantic's ValidationError is a ValueError
            raise self._not_justera(service, response) from error
        return found

    def _not_justera(self, service: str, response: httpx.Response) -> NotJustera:
        if response.is_redirect:
            leads_to = response.headers.get("location") or "elsewhere"
            return NotJustera(f"{self.url_of(service)} redirects to {leads_to}", hint=_OTHER_ADDRESS)
        kind = _media_type(response) or "no content type"
        return NotJustera(
            f"what answers at {self.url_of(service)} is not Justera (HTTP status {response.status_code}, {kind})",
            hint=_OTHER_ADDRESS,
        )

    def _token(self) -> str:
        if token := os.environ.get("JUSTERA_TOKEN"):
            return _checked_token(token)
        from services.embedded.home import Home, NoInstallation

        try:
            return Home(self._data).secrets().token(self._role)
        except NoInstallation as error:
            raise NoInstallation(
                f"no token: JUSTERA_TOKEN is not set and {error.message}",
                hint="set JUSTERA_TOKEN, or name the data folder with --data",
            ) from error


def _given(query: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in query.items() if value is not None}


def _checked_token(token: str) -> str:
    """Raises InvalidInput, which does not show it: it may be a real one with something behind it."""
    if all("!" <= character <= "~" for character in token):
        return token
    found = "spaces or control characters" if token.isascii() else "characters that are not ASCII"
    raise InvalidInput(
        f"JUSTERA_TOKEN is no token: it has {found}", hint="set it to what `justera token` printed, and nothing else"
    )


def _media_type(response: httpx.Response) -> str:
    kind: str = response.headers.get("content-type", "")
    return kind.partition(";")[0].strip().lower()


def _refusal(service: str, response: httpx.Response) -> JusteraError:
    """The problem details (RFC 9457) as one line."""
    try:
        problem = response.json()
        detail, hint = str(problem["detail"])[:_LONGEST], str(problem.get("hint") or "")[:_LONGEST]
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        detail, hint = f"HTTP status {response.status_code}", f"is {response.url.host} where Justera answers?"
    kind = _REFUSALS.get(response.status_code, ServerSaidNo)
    return kind(f"{service or 'justera'}: {detail}", hint=hint)
