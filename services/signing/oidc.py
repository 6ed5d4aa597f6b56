"""Logging in by OpenID Connect: what we ask of the provider, and what of its answer is believed. Pure.

Authorization code with PKCE (OpenID Connect Core 1.0, section 3.1; RFC 7636; RFC 9700). Tokens are checked by joserfc.
"""

import base64
import hashlib
import re
import secrets
from collections.abc import Iterable, Mapping
from typing import Any, ClassVar
from urllib.parse import urlencode

from joserfc import jwt
from joserfc.errors import InvalidKeyIdError, JoseError
from joserfc.jwk import KeySet
from pydantic import BaseModel, ConfigDict

from shared.errors import NotAllowed, Unavailable
from shared.text import email_key
from shared.tokens import TokenRecord

LEEWAY_SECONDS = 60  # how far the provider's clock and ours may be apart
ATTEMPT_SECONDS = 600  # from our page to the provider's and back
# Signatures by a key that the provider alone has. Never `none`, nor a MAC under our own secret.
ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "Ed25519", "EdDSA")
_SCOPE = "openid email profile"
_LONGEST = 255  # characters of a subject (OpenID Connect Core, section 2)


class ProviderRefused(NotAllowed):
    """The provider logged nobody in: taken back there, too late, or of somebody else."""

    slug: ClassVar[str] = "provider-refused"


class NoAccount(NotAllowed):
    """Somebody whom the provider knows, and who has no account here, or whose address it has not verified."""

    slug: ClassVar[str] = "no-account"


class UnknownKey(Exception):
    """Signed with a key that is not in the set that we have: the provider may have a new one."""


class Provider(BaseModel):
    """What its discovery document says (OpenID Connect Discovery 1.0, section 3), as far as we use it."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    issuer: str
    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str
    userinfo_endpoint: str = ""
    end_session_endpoint: str = ""
    authorization_response_iss_parameter_supported: bool = False


class Attempt(BaseModel):
    """One login on its way, kept in the browser that began it, signed. `asked`: where it goes on to, a query."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    state: str
    nonce: str
    verifier: str
    asked: str = ""


class Somebody(BaseModel):
    """Who logged in, as the provider knows them. `email`: empty, unless the provider has verified it."""

    model_config = ConfigDict(frozen=True)

    issuer: str
    subject: str
    email: str


def new_attempt(asked: str) -> Attempt:
    return Attempt(
        state=secrets.token_urlsafe(32),
        nonce=secrets.token_urlsafe(32),
        verifier=secrets.token_urlsafe(48),
        asked=asked,
    )


def described(document: object, issuer: str) -> Provider:
    """The provider of a discovery document. Raises Unavailable for one that is of another issuer or says too little."""
    try:
        provider = Provider.model_validate(document)
    except ValueError as error:
        raise Unavailable(
            "the login provider does not say where it is asked", hint="see JUSTERA_OIDC_ISSUER"
        ) from error
    if provider.issuer != issuer:  # section 4.3: to the letter
        raise Unavailable("the login provider is another issuer than configured", hint="see JUSTERA_OIDC_ISSUER")
    return provider


def authorization_address(provider: Provider, attempt: Attempt, *, client_id: str, redirect_uri: str) -> str:
    challenge = base64.urlsafe_b64encode(hashlib.sha256(attempt.verifier.encode()).digest()).decode().rstrip("=")
    asked = {
        "response_type": "code",
        "client_id": client_id,
        "redirect_uri": redirect_uri,
        "scope": _SCOPE,
        "state": attempt.state,
        "nonce": attempt.nonce,
        "code_challenge": challenge,
        "code_challenge_method": "S256",
    }
    return _with_query(provider.authorization_endpoint, asked)


def logout_address(provider: Provider, *, client_id: str, back: str) -> str:
    """Where who is logged out here logs out of the provider, too; empty where it has no such page."""
    if not provider.end_session_endpoint:
        return ""
    return _with_query(provider.end_session_endpoint, {"client_id": client_id, "post_logout_redirect_uri": back})


def code_of(answer: Mapping[str, str], provider: Provider, attempt: Attempt) -> str:
    """The code that the browser brought back. Raises ProviderRefused."""
    state, code = answer.get("state", ""), answer.get("code", "")
    if not secrets.compare_digest(state.encode(), attempt.state.encode()):
        raise ProviderRefused("the answer is of another login", hint="log in again")
    issuer = answer.get("iss", provider.issuer if not provider.authorization_response_iss_parameter_supported else "")
    if issuer != provider.issuer:  # RFC 9207: the answer of another provider
        raise ProviderRefused("the answer is of another provider", hint="log in again")
    if answer.get("error") or not code:
        raise ProviderRefused("the provider logged nobody in", hint="log in again")
    return code


def subject_of(
    id_token: str, keys: KeySet, provider: Provider, attempt: Attempt, *, client_id: str, now: int
) -> dict[str, Any]:
    """The claims of an ID token (section 3.1.3.7). Raises ProviderRefused, and UnknownKey for a key that we lack."""
    checks = jwt.JWTClaimsRegistry(
        now=now,
        leeway=LEEWAY_SECONDS,
        iss={"essential": True, "value": provider.issuer},
        sub={"essential": True},
        aud={"essential": True, "value": client_id},
        exp={"essential": True},
        iat={"essential": True},
        nonce={"essential": True, "value": attempt.nonce},
    )
    try:
        claims: dict[str, Any] = jwt.decode(id_token, keys, algorithms=ALGORITHMS).claims
        checks.validate(claims)
    except InvalidKeyIdError as error:
        raise UnknownKey from error
    except (JoseError, ValueError) as error:
        raise ProviderRefused("the provider's word is not believed", hint="log in again") from error
    several = isinstance(claims["aud"], list) and len(claims["aud"]) > 1
    if claims.get("azp", None if several else client_id) != client_id or not 0 < len(str(claims["sub"])) <= _LONGEST:
        raise ProviderRefused("the provider's word is for somebody else", hint="log in again")
    return claims


def somebody(claims: Mapping[str, Any], said: Mapping[str, Any], *, email_claim: str) -> Somebody:
    """`said`: what userinfo answered, which counts for the same subject alone (section 5.3.2). Raises ProviderRefused.

    An address is one that people can read mail at only where the provider says that it has made sure of it.
    """
    if said and said.get("sub") != claims["sub"]:
        raise ProviderRefused("the provider speaks of two people", hint="log in again")
    known = {**claims, **said}
    email, verified = known.get(email_claim), known.get("email_verified") is True
    good = isinstance(email, str) and verified and re.fullmatch(r"[^@\s]{1,64}@[^@\s]{1,190}", email) is not None
    return Somebody(issuer=str(claims["iss"]), subject=str(claims["sub"]), email=email if good else "")


def account_by_email(records: Iterable[TokenRecord], one: Somebody) -> TokenRecord:
    """The one account with this verified address. Raises NoAccount, also where several have it: nobody is guessed."""
    key = email_key(one.email) if one.email else ""
    found = [each for each in records if key and each.email and email_key(each.email) == key and not each.has_expired]
    if len(found) != 1:
        raise NoAccount("no account here has this person's address", hint="ask your operator for an account")
    return found[0]


def _with_query(address: str, asked: Mapping[str, str]) -> str:
    return f"{address}{'&' if '?' in address else '?'}{urlencode(asked)}"
