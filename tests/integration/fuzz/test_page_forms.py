"""Every form of the pages, posted as no browser of good will does: refused, nothing changed, and honesty still works.

A signer's view, signature and refusal; the sender's sending, reminder, recall and alternate; the way in and out.
"""

import random
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote

import httpx
import pytest

from services.signing.pages.signer import COOKIE
from shared.auth import SESSION_COOKIE, Access
from tests.integration.fuzz.logged import check_no_failure
from tests.integration.fuzz.test_requests import state_of
from tests.integration.pages.site import ACCESS_TOKEN, AUDITOR, ELSEWHERE, LOGIN, TOKEN, Site
from tests.integration.signing.flow import ORGANISATION
from tests.support.sessions import principal_of, with_sessions
from tests.unit.signing.story import AGREEMENT_ID, CHAIR, SECRETARY

pytestmark = pytest.mark.slow

_FORM = "application/x-www-form-urlencoded"
_OVERVIEW = f"/signing/overview/{AGREEMENT_ID}"
_SAID = (403, 404, 413, 415, 422)  # a refusal; 303 leads on, 401 to the login, 429 slows down

# Not to be taken for a name or a reason; the way they come url-encoded.
_BAD_TEXTS = (
    "",
    "%20%20",
    "%E2%80%8B",
    "a%00b",
    "a%07b",
    "%1B%5B31mred",
    "Olof%E2%80%AEBerg",
    "a%E2%81%A6b",
    "x" * 2001,
    "%F0%9F%98%80" * 2001,
)
_BAD_ADDRESSES = (
    *_BAD_TEXTS,
    "a",
    "a@",
    "@b.example",
    "a%20b@c.example",
    "a@b@c.example",
    "a@-b.example",
    "a@b.example%0D%0ABcc:c@d.example",
    "a@b.example%0A",
    "a@b.example,c@d.example",
    "x" * 65 + "@b.example",
    quote(CHAIR),
    quote(CHAIR.upper()),
)


@dataclass(frozen=True)
class Form:
    """`path` of the form's page and its action; `fields` of an honest post, url-encoded; those that must be refused."""

    action: str
    cookie: str
    fields: dict[str, str] = field(default_factory=dict)
    refused: dict[str, tuple[str, ...]] = field(default_factory=dict)


def forms(signer: str, other: str) -> dict[str, Form]:
    sign = f"/signing/sign/{signer}"
    name, reason = {"name": _BAD_TEXTS}, {"reason": _BAD_TEXTS}
    addresses = {"email": _BAD_ADDRESSES, "name": tuple(text for text in _BAD_TEXTS if text.strip("%20"))}
    return {
        "view": Form(f"{sign}/view", COOKIE),
        "sign": Form(f"{sign}/sign", COOKIE, {"name": "Olof+Berg"}, name),
        "decline": Form(f"{sign}/decline", COOKIE, {"reason": "fel+datum"}, reason),
        "send": Form(f"{_OVERVIEW}/send", SESSION_COOKIE),
        "remind": Form(f"{_OVERVIEW}/remind", SESSION_COOKIE),
        "cancel": Form(f"{_OVERVIEW}/cancel", SESSION_COOKIE, {"reason": "fel"}, reason),
        "alternate": Form(
            f"{_OVERVIEW}/alternate/{other}", SESSION_COOKIE, {"email": "a%40b.example", "name": "Bo"}, addresses
        ),
        "logout": Form("/logout", SESSION_COOKIE),
        "example": Form("/example", SESSION_COOKIE),
    }


@dataclass
class Desk:
    """Someone with a genuine cookie and a genuine form."""

    site: Site
    form: Form
    cookie: str
    log: Path
    before: dict[str, str]

    @property
    def csrf(self) -> str:
        return self.site.access.csrf_token(self.cookie)

    def body(self, **changed: str) -> str:
        fields = {"csrf": self.csrf, **self.form.fields, **changed}
        return "&".join(f"{name}={value}" for name, value in fields.items())

    async def post(
        self, body: str | bytes | AsyncIterator[bytes], *, cookie: str | None = None, media_type: str | None = _FORM
    ) -> httpx.Response:
        given = self.cookie if cookie is None else cookie
        headers = {"cookie": f"{self.form.cookie}={given}".encode("latin-1")}
        if media_type:
            headers["content-type"] = media_type.encode()
        async with httpx.AsyncClient(base_url=self.site.base, timeout=30) as client:
            # As it stands: the client would drop or escape what is odd.
            return await client.post(
                self.form.action,
                content=body,
                headers=headers | {"cookie": f"{self.form.cookie}={given}".encode("latin-1")},
            )

    async def refuses(self, ask: Callable[[], Awaitable[httpx.Response]], *allowed: int) -> None:
        answer = await ask()
        said = (answer.status_code, str(answer.request.url), answer.request.headers, answer.text[-300:])
        assert answer.status_code in (*_SAID, *allowed), said
        assert "Traceback" not in answer.text, said
        assert "set-cookie" not in answer.headers, said


@pytest.fixture(params=["view", "sign", "decline", "send", "remind", "cancel", "alternate", "logout", "example"])
async def desk(request: pytest.FixtureRequest, site: Site, logs: Path) -> Desk:
    """The chair's turn, who has opened the document and is asked for a name; the sender before or after sending off."""
    await site.draft(b"%PDF-1.7")
    if request.param != "send":
        await site.flow.send_off()
        await site.flow.sign(SECRETARY)
    signer = await site.flow.id(CHAIR)
    if request.param in ("sign", "decline"):
        await site.flow.commands.view(ORGANISATION, signer, version=1, ip="192.0.2.7")
    form = forms(signer, signer)[request.param]
    signers = site.access.sign("signer", {"o": ORGANISATION, "r": signer, "v": 1}, 3600)
    senders = await site.session(TOKEN)
    cookie = signers if form.cookie == COOKIE else senders
    return Desk(site, form, cookie, logs, await _kept(site))


async def _kept(site: Site) -> dict[str, str]:
    """All but who is logged in: the tests themselves open sessions."""
    state = await state_of(site.flow.service)
    return {name: content for name, content in state.items() if name != "login_session"}


async def _nothing_changed_and_an_honest_post_works(desk: Desk) -> None:
    assert await _kept(desk.site) == desk.before
    answer = await desk.post(desk.body())
    assert answer.status_code == 303, answer.text
    check_no_failure(desk.log)


def _spoilt(text: str, number: int, seed: int) -> Iterator[str]:
    """Letters changed to other letters, and the text cut; never only another spelling of the same base64."""
    rng = random.Random(seed)
    for _ in range(number):
        at = rng.randrange(len(text) - 2)
        letter = rng.choice(sorted(set("ABCXYZabcxyz019") - {text[at]}))
        yield text[:at] + letter + text[at + 1 :]
        yield text[: rng.randrange(len(text) - 1)]


async def test_a_csrf_token_that_is_missing_foreign_or_spoilt(desk: Desk) -> None:
    other = desk.site.access.csrf_token("another")
    bad = ["", other, desk.csrf.lower(), f"{desk.csrf}A", *_spoilt(desk.csrf, 8, 1), "%00", "%FF%FE", "x" * 20_000]
    for token in bad:
        await desk.refuses(lambda token=token: desk.post(desk.body(csrf=token)))
    without = desk.body().replace("csrf=", "CSRF=")
    for body in (
        without,
        f"{desk.body()}&csrf={other}",
        desk.body(csrf=other) + "&csrf=",
        b"",
        b"\xff\xfe\0",
        "&=&&=;",
    ):
        await desk.refuses(lambda body=body: desk.post(body))
    await _nothing_changed_and_an_honest_post_works(desk)


async def test_a_cookie_cut_spoilt_or_of_someone_else(desk: Desk) -> None:
    """Each with the CSRF token that belongs to it, as whoever made the cookie could know."""
    access, key = desk.site.access, with_sessions(Access((TOKEN,), b"z" * 32))
    ended = await desk.site.session(TOKEN)
    assert access.sessions is not None
    await access.sessions.end((await access.by_session(ended)).session_key)
    desk.before = await _kept(desk.site)  # that it ended is told
    sender = {"o": ORGANISATION, "t": TOKEN.sha256}
    signers = {"o": ORGANISATION, "r": await desk.site.flow.id(SECRETARY), "v": 1}
    foreign = [
        await key.open_session(principal_of(TOKEN)),
        ended,
        key.sign("signer", signers, 3600),
        access.sign("signer", signers, 3600),
        access.sign("signer", {**signers, "r": await desk.site.flow.id(CHAIR)}, -1),
        access.sign("session", {**sender, "s": "x"}, 3600),
        access.sign("session", {**sender, "s": ["x"]}, 3600),
        access.sign("session", {}, 3600),
    ]
    if desk.form.action not in ("/logout", "/example"):  # those concern whoever is logged in, not this organisation
        foreign.append(await desk.site.session(ELSEWHERE))
        foreign.append(await desk.site.session(AUDITOR))
    spoilt = [*_spoilt(desk.cookie, 12, 2), "", ".", "..", "a.b", "\u00e5\u00ff", "x" * 4000]
    for cookie in (*foreign, *spoilt):
        body = desk.body(csrf=access.csrf_token(cookie))
        await desk.refuses(lambda body=body, cookie=cookie: desk.post(body, cookie=cookie), 401)
    await _nothing_changed_and_an_honest_post_works(desk)


async def test_another_kind_or_size_of_body(desk: Desk) -> None:
    async def pieces() -> AsyncIterator[bytes]:
        yield desk.body().encode()  # without a length

    for media_type in (
        None,
        "application/json",
        "text/plain",
        "multipart/form-data; boundary=x",
        f"x{_FORM}",
        ";",
        "/",
    ):
        await desk.refuses(lambda media_type=media_type: desk.post(desk.body(), media_type=media_type))
    for body in (desk.body() + "&x=" + "x" * 40_000, "&".join(f"f{n}={n}" for n in range(6000)), pieces()):
        await desk.refuses(lambda body=body: desk.post(body))
    await _nothing_changed_and_an_honest_post_works(desk)


async def test_fields_that_no_text_is_made_of(desk: Desk) -> None:
    for name, texts in desk.form.refused.items():
        for text in texts[:26]:  # fewer than the posts that slow a signer down
            await desk.refuses(lambda name=name, text=text: desk.post(desk.body(**{name: text})))
    await _nothing_changed_and_an_honest_post_works(desk)


_TOKENS = ("", "x", "%00", "%FF", ACCESS_TOKEN.upper(), "x" * 30_000, LOGIN[:-1], quote(f"{LOGIN}\0"), "%ED%A0%80")


@pytest.mark.parametrize("path", ["/login", "/signing/login"])
async def test_tokens_that_log_nobody_in(path: str, site: Site, logs: Path) -> None:
    async with httpx.AsyncClient(base_url=site.base, timeout=60) as client:
        for token in _TOKENS:
            answer = await client.post(path, content=f"token={token}", headers={"content-type": _FORM})
            assert answer.status_code in (401, 422), (token[:20], answer.status_code)
            assert "set-cookie" not in answer.headers
        for media_type in ("application/json", "multipart/form-data; boundary=x", "text/plain"):
            answer = await client.post(path, content=f"token={LOGIN}", headers={"content-type": media_type})
            assert answer.status_code == 422
    check_no_failure(logs)
