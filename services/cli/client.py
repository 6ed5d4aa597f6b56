"""Speaking to a running system: its HTTP API, with the token from the environment or of the local data folder."""

import os
from pathlib import Path
from typing import Any

import httpx

from services.cli.options import DEFAULT_DATA
from shared.errors import JusteraError, Unavailable
from shared.names import DEFAULT_URL, Role


class ServerSaidNo(JusteraError):
    slug = "server-said-no"


class Client:
    """`JUSTERA_URL` is the system's address, `JUSTERA_<SERVICE>_URL` one service's; `JUSTERA_TOKEN` the bearer token.

    Without a token, that of the data folder on this machine is used.
    """

    def __init__(self, role: Role, data: Path = DEFAULT_DATA, *, seconds: float = 30.0) -> None:
        self._role = role
        self._data = data
        self._seconds = seconds

    def get(self, service: str, path: str, **query: Any) -> Any:
        """The answer's JSON. Raises ServerSaidNo, Unavailable."""
        return self._request("GET", service, path, params=_given(query)).json()

    def post(self, service: str, path: str, body: Any = None) -> Any:
        """Raises ServerSaidNo, Unavailable."""
        return self._request("POST", service, path, json=body).json()

    def text(self, service: str, path: str, **query: Any) -> str:
        return self._request("GET", service, path, params=_given(query)).text

    def url_of(self, service: str) -> str:
        """Where a service answers; for an empty name, the all-in-one process itself."""
        own = os.environ.get(f"JUSTERA_{service.upper()}_URL") if service else None
        return own or f"{self._system_url().rstrip('/')}/{service}".rstrip("/")

    def _system_url(self) -> str:
        """From the environment, else where the process of the data folder says it answers."""
        if url := os.environ.get("JUSTERA_URL"):
            return url
        try:
            return (self._data / "address").read_text(encoding="utf-8").strip() or DEFAULT_URL
        except (OSError, UnicodeDecodeError):
            return DEFAULT_URL

    def _request(self, method: str, service: str, path: str, **arguments: Any) -> httpx.Response:
        url = f"{self.url_of(service)}{path}"
        try:
            response = httpx.request(
                method, url, headers={"authorization": f"Bearer {self._token()}"}, timeout=self._seconds, **arguments
            )
        except (httpx.TransportError, httpx.InvalidURL) as error:
            raise Unavailable(
                f"{service or 'justera'} does not answer at {self.url_of(service)}",
                hint="start it with `justera up`, or name another address in JUSTERA_URL",
            ) from error
        if response.is_error:
            raise _refusal(service, response)
        return response

    def _token(self) -> str:
        if token := os.environ.get("JUSTERA_TOKEN"):
            return token
        from services.embedded.home import Home, NoInstallation

        try:
            return Home(self._data).secrets().token(self._role)
        except NoInstallation as error:
            raise NoInstallation(
                f"no token: JUSTERA_TOKEN is not set and {self._data} is no data folder",
                hint="set JUSTERA_TOKEN, or name the data folder with --data",
            ) from error


def _given(query: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in query.items() if value is not None}


def _refusal(service: str, response: httpx.Response) -> JusteraError:
    """The problem details (RFC 9457) as one line."""
    try:
        problem = response.json()
        detail, hint = str(problem["detail"]), str(problem.get("hint", ""))
    except (ValueError, KeyError, TypeError):
        detail, hint = f"HTTP status {response.status_code}", ""
    return ServerSaidNo(f"{service}: {detail}", hint=hint)
