"""`justera up`: the all-in-one process with its pages, until it is asked to stop."""

import asyncio
import os
import shlex
import socket
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from functools import partial
from typing import Any
from urllib.parse import urlsplit

from fastapi import FastAPI
from pydantic import BaseModel

from services.embedded.ahead import look_ahead
from services.embedded.assembly import AllInOne, Modes
from services.embedded.example import prepare_example
from services.embedded.greeting import ASSOCIATION, Greeting, StoryClock
from services.embedded.home import DEFAULT_FOLDER, Home
from services.embedded.login import LoginLinks
from services.embedded.pages import include_pages
from services.embedded.server import serve
from services.meetings.minutes.word_package import MAX_WORD
from services.notifications.delivery.mailer import MailerSettings
from shared import tracing
from shared.auth import Role, requires
from shared.collector import keep_code_from_the_collector
from shared.http import create_app
from shared.logging import get_logger
from shared.names import SERVICES
from shared.settings import load_settings
from shared.web.forms import meetings_uploads

log = get_logger(__name__)

# The only process on its database: what it had in hand at a `kill -9` it sends again as soon as it is started again.
_ALONE: Mapping[str, Any] = {"instance": "up"}
# The inbox keeps a mail under its own id: never twice.
_INBOX: Mapping[str, Any] = {**_ALONE, "show_mail": True, "mailer_settings": MailerSettings(lease=5.0)}
# One association has few mails. The fewer at once, the fewer are between a server's answer and its record at a kill.
_SMTP: Mapping[str, Any] = {**_ALONE, "mailer_settings": MailerSettings(connections=2, lease=10.0)}


_INVENTED = ("", "The association in it is invented, to look around in. For your own: justera up --empty --data FOLDER")


class LoginLink(BaseModel):
    """Opens a browser session once, within the hour."""

    url: str


async def up(
    home: Home,
    listener: socket.socket,
    *,
    host: str,
    port: int,
    empty: bool,
    say: Callable[[str], None],
    clock: StoryClock | None = None,
) -> None:
    """Start everything, print where it is, and serve until SIGINT or SIGTERM. Raises JusteraError.

    A new data folder gets the invented association, but when it is to be `empty`, or mail would really be sent.
    `clock`: of another time than the machine's.
    """
    tracing.configure("up")
    with listener:
        say("Starting …")
        sends_mail = "JUSTERA_SMTP_HOST" in os.environ
        options = {"notifications": _SMTP if sends_mail else _INBOX}
        public_url = os.environ.get("JUSTERA_PUBLIC_URL", _url(host, port))
        if home.is_new and not empty and not sends_mail:
            home.unfinished_greeting.touch()
        clock = clock or StoryClock()
        overrides = {"public_url": public_url, **_ways(public_url, sends_mail), **_name(home)}
        async with AllInOne(home, clock=clock, modes=Modes(options=options), overrides=overrides) as system:
            greeting = Greeting(system, clock, system.settings.language) if home.unfinished_greeting.exists() else None
            if greeting is not None:
                await greeting.begin()
                home.greeting.touch()
            home.address.write_text(system.settings.public_url, encoding="utf-8")
            links = LoginLinks(system.access, system.settings.organisation)
            app = outer_app(system, links)
            keep_code_from_the_collector()
            for line in _greeting(system.settings.public_url, links.issue(), home, sends_mail):
                say(line)
            async with _going_on(greeting, home):
                await serve(app, listener)
            say("Stopping …")


@asynccontextmanager
async def _going_on(greeting: Greeting | None, home: Home) -> AsyncIterator[None]:
    """The rest of the greeting beside what is served. What cannot be told now is told at the next start."""

    async def tell(there: Greeting) -> None:
        try:
            await there.go_on()
        except Exception as error:  # of whatever kind: what is served goes on
            log.warning("greeting.unfinished", error=type(error).__name__)
        else:
            home.unfinished_greeting.unlink()

    task = asyncio.create_task(tell(greeting), name="greeting") if greeting is not None else None
    try:
        yield
    finally:
        if task is not None:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task


def outer_app(system: AllInOne, links: LoginLinks) -> FastAPI:
    """The start page and the login, with the services mounted below their names."""
    settings = system.settings
    app = create_app(
        "Justera",
        description="The all-in-one process; the services have APIs of their own, below their names.",
        access=system.access,
        max_body_bytes=settings.max_body_bytes,
        uploads=meetings_uploads(settings, MAX_WORD),
        checks={
            **{f"{name}-messaging": service.check_messaging for name, service in system.services.items()},
            **{f"{name}-database": service.database.ping for name, service in system.services.items()},
        },
    )
    include_pages(
        app,
        settings=settings,
        access=system.access,
        redeem=links.redeem,
        prepare_example=partial(prepare_example, system),
        look_ahead=partial(look_ahead, system.services["meetings"].commands, system.clock),
        invented=system.home.greeting.exists(),
    )

    @app.post("/login-links", dependencies=[requires(Role.OPERATOR)])
    async def new_login_link() -> LoginLink:
        """A new login link for the person at this machine."""
        return LoginLink(url=_login_url(settings.public_url, links.issue()))

    for name in SERVICES:
        app.mount(f"/{name}", system.services[name].app)
    return app


def _name(home: Home) -> dict[str, str]:
    """Of the invented association, where nobody chose another."""
    settings = load_settings()
    is_invented = home.unfinished_greeting.exists() or home.greeting.exists()
    if not is_invented or "organisation_name" in settings.model_fields_set:
        return {}
    return {"organisation_name": ASSOCIATION[settings.language]}


def _greeting(url: str, token: str, home: Home, sends_mail: bool) -> list[str]:
    mail = "sent by JUSTERA_SMTP_HOST" if sends_mail else f"shown, not sent: {url}/notifications/inbox"
    return [
        "",
        f"Log in:    {_login_url(url, token)}",
        f"Mail:      {mail}",
        f"APIs:      {', '.join(f'{url}/{name}/docs' for name in SERVICES)}",
        f"Data:      {home.folder}   (logs in {home.logs})",
        *(_INVENTED if home.greeting.exists() else ()),
        "",
        f"In another terminal: {', '.join(_commands(home))}. Ctrl-C stops it.",
    ]


def _commands(home: Home) -> list[str]:
    data = "" if home.folder == DEFAULT_FOLDER else f" --data {shlex.quote(str(home.folder))}"
    return [f"justera events --follow{data}", f"justera doctor{data}"]


def _ways(public_url: str, sends_mail: bool) -> dict[str, str]:
    """Settings of the links between the services' pages: paths, so that they hold by whichever name we are reached."""
    root = urlsplit(public_url).path.rstrip("/")
    return {"start_page": f"{root}/", "inbox_page": "" if sends_mail else f"{root}/notifications/inbox"}


def _login_url(url: str, token: str) -> str:
    return f"{url}/login?token={token}"


def _url(host: str, port: int) -> str:
    shown = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(host, f"[{host}]" if ":" in host else host)  # noqa: S104
    return f"http://{shown}:{port}"
