"""The provider that people log in to by OpenID Connect, asked over HTTP: its addresses, its keys, who logged in."""

import time
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import quote_plus, urlsplit

import httpx
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from services.signing import oidc
from services.signing.oidc import Attempt, Provider, ProviderRefused, Somebody, UnknownKey
from shared.errors import Unavailable
from shared.settings import BadConfiguration, Settings

_KEPT_SECONDS = 3600  # of what the provider says of itself
_KEYS_AGAIN_SECONDS = 60  # who sends us signatures by made-up keys does not have us ask without end
_WAIT = httpx.Timeout(10.0)
_MOST_BYTES = 256 * 1024
_AT_HOME = ("127.0.0.1", "::1", "localhost")


class OidcClient:
    """`now`: Unix seconds. Raises BadConfiguration for an issuer that is not reached by https."""

    def __init__(self, settings: Settings, *, now: Callable[[], float] = time.time) -> None:
        issuer = urlsplit(settings.oidc_issuer)
        if issuer.scheme != "https" and issuer.hostname not in _AT_HOME:
            raise BadConfiguration("JUSTERA_OIDC_ISSUER begins with http:", hint="a provider is reached by https")
        if not settings.oidc_client_id:
            raise BadConfiguration("JUSTERA_OIDC_CLIENT_ID is not set", hint="the provider tells it")
        self.issuer = settings.oidc_issuer
        self.client_id = settings.oidc_client_id
        # RFC 6749, section 2.3.1: both are encoded as in a form.
        self._known_as = quote_plus(self.client_id), quote_plus(settings.secret("oidc_client_secret"))
        self._email_claim = settings.oidc_email_claim
        self._now = now
        self._provider: tuple[float, Provider] | None = None
        self._keys: tuple[float, KeySet] | None = None

    async def provider(self) -> Provider:
        """Raises Unavailable."""
        if self._provider is None or self._now() - self._provider[0] > _KEPT_SECONDS:
            address = f"{self.issuer.rstrip('/')}/.well-known/openid-configuration"
            self._provider = self._now(), oidc.described(await self._ask("GET", address), self.issuer)
        return self._provider[1]

    async def somebody(self, answer: Mapping[str, str], attempt: Attempt, *, redirect_uri: str) -> Somebody:
        """Who logged in, by what their browser brought back. Raises ProviderRefused, Unavailable."""
        provider = await self.provider()
        code = oidc.code_of(answer, provider, attempt)
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": redirect_uri,
            "code_verifier": attempt.verifier,
        }
        tokens = await self._ask("POST", provider.token_endpoint, data=form, auth=self._known_as)
        claims = await self._claims(str(tokens.get("id_token", "")), provider, attempt)
        said: dict[str, Any] = {}
        if provider.userinfo_endpoint and (access := tokens.get("access_token")):
            headers = {"authorization": f"Bearer {access}"}
            said = await self._ask("GET", provider.userinfo_endpoint, headers=headers)
        return oidc.somebody(claims, said, email_claim=self._email_claim)

    async def _claims(self, id_token: str, provider: Provider, attempt: Attempt) -> dict[str, Any]:
        """With the keys that we have, and where one is new, with those that the provider has now."""
        for again in (False, True):
            keys = await self._key_set(provider, again=again)
            try:
                return oidc.subject_of(
                    id_token, keys, provider, attempt, client_id=self.client_id, now=int(self._now())
                )
            except UnknownKey:
                continue
        raise ProviderRefused("the provider's word is signed with a key that it does not have", hint="log in again")

    async def _key_set(self, provider: Provider, *, again: bool) -> KeySet:
        kept = self._keys
        most = _KEYS_AGAIN_SECONDS if again else _KEPT_SECONDS
        if kept is None or self._now() - kept[0] > most:
            try:
                told: Any = await self._ask("GET", provider.jwks_uri)
                kept = self._now(), KeySet.import_key_set(told)
            except (JoseError, KeyError, TypeError, ValueError) as error:
                raise Unavailable("the login provider's keys cannot be read") from error
            self._keys = kept
        return kept[1]

    async def _ask(self, method: str, address: str, **how: Any) -> dict[str, Any]:
        """A JSON object. Raises ProviderRefused when it says no to us, Unavailable when it does not answer."""
        try:
            async with httpx.AsyncClient(timeout=_WAIT, follow_redirects=False) as client:
                answer = await client.request(
                    method, address, headers={"accept": "application/json", **how.pop("headers", {})}, **how
                )
            said = answer.json() if len(answer.content) <= _MOST_BYTES else None
        except (httpx.HTTPError, ValueError) as error:
            raise Unavailable("the login provider does not answer", hint="try again soon") from error
        if 400 <= answer.status_code < 500 and method == "POST":
            raise ProviderRefused("the provider takes this login no more", hint="log in again")
        if answer.status_code != 200 or not isinstance(said, dict):
            raise Unavailable("the login provider does not answer", hint="try again soon")
        return said
