"""What of an OpenID provider's answer is believed, and whose account it opens."""

import base64
import hashlib
import json
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from joserfc import jwt
from joserfc.jwk import ECKey, KeySet, OctKey, RSAKey

from services.signing.oidc import (
    LEEWAY_SECONDS,
    NoAccount,
    Provider,
    ProviderRefused,
    Somebody,
    UnknownKey,
    account_by_email,
    authorization_address,
    code_of,
    described,
    logout_address,
    new_attempt,
    somebody,
    subject_of,
)
from shared.auth import Access, Role, TokenRecord
from shared.errors import NotAuthenticated, Unavailable
from shared.tokens import token_hash

ISSUER, CLIENT = "https://login.norrdalen.example", "justera"
PROVIDER = Provider(
    issuer=ISSUER,
    authorization_endpoint=f"{ISSUER}/auth?tenant=norrdalen",
    token_endpoint=f"{ISSUER}/token",
    jwks_uri=f"{ISSUER}/jwks",
    end_session_endpoint=f"{ISSUER}/out",
    authorization_response_iss_parameter_supported=True,
)
NOW = 1_790_000_000
KEY = RSAKey.generate_key(2048, {"kid": "one", "alg": "RS256", "use": "sig"}, private=True)
KEYS = KeySet.import_key_set({"keys": [KEY.as_dict(private=False)]})
ATTEMPT = new_attempt("")
CLAIMS = {"iss": ISSUER, "sub": "4711", "aud": CLIENT, "exp": NOW + 300, "iat": NOW, "nonce": ATTEMPT.nonce}
ACCOUNT = TokenRecord(
    name="Maja Lind",
    role=Role.SECRETARY,
    organisation="norrdalen",
    sha256="ab" * 32,
    email="maja.lind@norrdalen.example",
)
MAJA = Somebody(issuer=ISSUER, subject="4711", email="Maja.Lind@norrdalen.example")


def _token(key: Any = KEY, alg: str = "RS256", **changed: object) -> str:
    claims = {name: value for name, value in {**CLAIMS, **changed}.items() if value is not None}
    return jwt.encode({"alg": alg, "kid": "one"}, claims, key, algorithms=[alg])


def _subject(id_token: str, now: int = NOW) -> dict[str, Any]:
    return subject_of(id_token, KEYS, PROVIDER, ATTEMPT, client_id=CLIENT, now=now)


def test_asks_for_a_code_that_is_of_use_to_us_alone() -> None:
    address = urlsplit(
        authorization_address(PROVIDER, ATTEMPT, client_id=CLIENT, redirect_uri="https://j.example/back")
    )
    asked = {name: value for name, (value,) in parse_qs(address.query).items()}
    assert (asked["tenant"], asked["response_type"], asked["state"], asked["nonce"]) == (
        "norrdalen",
        "code",
        ATTEMPT.state,
        ATTEMPT.nonce,
    )
    challenge = base64.urlsafe_b64encode(hashlib.sha256(ATTEMPT.verifier.encode()).digest()).decode().rstrip("=")
    assert (asked["code_challenge"], asked["code_challenge_method"]) == (challenge, "S256")
    assert ATTEMPT.verifier not in address.geturl()
    assert logout_address(PROVIDER, client_id=CLIENT, back="https://j.example/login").startswith(
        f"{ISSUER}/out?client_id="
    )


@pytest.mark.parametrize(
    "changed",
    [
        {"state": "another"},
        {"state": ""},
        {"iss": "https://evil.example"},
        {"iss": None},
        {"error": "access_denied"},
        {"code": ""},
    ],
)
def test_an_answer_to_somebody_else_or_of_somebody_else_brings_no_code(changed: dict[str, str | None]) -> None:
    answer = {"state": ATTEMPT.state, "code": "a code", "iss": ISSUER}
    assert code_of(answer, PROVIDER, ATTEMPT) == "a code"
    with pytest.raises(ProviderRefused):
        code_of({k: v for k, v in {**answer, **changed}.items() if v is not None}, PROVIDER, ATTEMPT)


def test_a_word_of_the_provider_for_us_about_this_login_is_believed() -> None:
    assert _subject(_token())["sub"] == "4711"
    assert _subject(_token(aud=[CLIENT, "other"], azp=CLIENT))["sub"] == "4711"


@pytest.mark.parametrize(
    "changed",
    [
        {"iss": "https://evil.example"},
        {"aud": "other"},
        {"aud": ["other"]},
        {"aud": [CLIENT, "other"]},
        {"azp": "other"},
        {"nonce": "of another login"},
        {"nonce": None},
        {"sub": None},
        {"sub": ""},
        {"sub": "x" * 256},
        {"exp": None},
        {"iat": None},
        {"exp": NOW - LEEWAY_SECONDS - 1},
        {"iat": NOW + LEEWAY_SECONDS + 1},
        {"nbf": NOW + LEEWAY_SECONDS + 1},
    ],
)
def test_any_other_is_not(changed: dict[str, object]) -> None:
    with pytest.raises(ProviderRefused):
        _subject(_token(**changed))


def test_clocks_may_be_a_minute_apart() -> None:
    assert _subject(_token(exp=NOW - LEEWAY_SECONDS + 1, iat=NOW - 400))
    assert _subject(_token(iat=NOW + LEEWAY_SECONDS - 1))


def test_nor_one_that_another_key_signed_or_none_did() -> None:
    other = RSAKey.generate_key(2048, {"kid": "one"}, private=True)
    curve = ECKey.generate_key("P-256", {"kid": "one"}, private=True)
    ours = OctKey.import_key("the client's own secret, which the provider has too", {"kid": "one"})
    header = base64.urlsafe_b64encode(json.dumps({"alg": "none", "kid": "one"}).encode()).decode().rstrip("=")
    unsigned = f"{header}.{_token().split('.')[1]}."
    for forged in (_token(other), _token(curve, "ES256"), _token(ours, "HS256"), unsigned, "", "a.b.c", _token()[:-8]):
        with pytest.raises((ProviderRefused, UnknownKey)):
            _subject(forged)


def test_a_new_key_is_asked_for() -> None:
    new = RSAKey.generate_key(2048, {"kid": "two"}, private=True)
    with pytest.raises(UnknownKey):
        _subject(jwt.encode({"alg": "RS256", "kid": "two"}, CLAIMS, new))


def test_an_address_counts_once_the_provider_has_verified_it() -> None:
    def email(**said: object) -> str:
        return somebody(CLAIMS, {"sub": "4711", **said}, email_claim="email").email

    assert email(email="maja.lind@norrdalen.example", email_verified=True) == "maja.lind@norrdalen.example"
    for said in (
        {"email": "maja.lind@norrdalen.example"},
        {"email": "maja.lind@norrdalen.example", "email_verified": False},
        {"email": "maja.lind@norrdalen.example", "email_verified": "true"},
        {"email": ["maja.lind@norrdalen.example"], "email_verified": True},
        {"email": "no address", "email_verified": True},
    ):
        assert email(**said) == ""
    with pytest.raises(ProviderRefused):
        somebody(CLAIMS, {"sub": "4712", "email": "maja.lind@norrdalen.example"}, email_claim="email")


def test_an_account_is_found_by_an_address_that_one_alone_has() -> None:
    token = ACCOUNT.model_copy(update={"email": None})
    assert account_by_email([token, ACCOUNT], MAJA) == ACCOUNT
    expired, twin = (ACCOUNT.model_copy(update=changed) for changed in ({"expires": 1.0}, {"sha256": "cd" * 32}))
    unverified = MAJA.model_copy(update={"email": ""})
    for records, one in (
        ([], MAJA),
        ([token], MAJA),
        ([expired], MAJA),
        ([ACCOUNT, twin], MAJA),
        ([ACCOUNT], unverified),
    ):
        with pytest.raises(NoAccount):
            account_by_email(records, one)


def test_an_account_is_no_token() -> None:
    """Even to who should find what its hash is of."""
    access = Access([ACCOUNT.model_copy(update={"sha256": token_hash("found")})], b"k" * 32)
    with pytest.raises(NotAuthenticated):
        access.by_token("found")


@pytest.mark.parametrize("document", [None, {}, {**PROVIDER.model_dump(), "issuer": f"{ISSUER}/"}])
def test_a_provider_that_says_it_is_another_is_not_asked(document: object) -> None:
    assert described(PROVIDER.model_dump(), ISSUER) == PROVIDER
    with pytest.raises(Unavailable):
        described(document, ISSUER)
