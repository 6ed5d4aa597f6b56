"""The common look: templates around one layout, in the reader's language."""

from datetime import date, datetime
from functools import partial
from http import HTTPStatus
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from fastapi import Request
from fastapi.responses import HTMLResponse
from jinja2 import ChoiceLoader, Environment, PackageLoader, StrictUndefined

from shared import readable
from shared.auth import Access, Role
from shared.rendering.report_times import stamp_time
from shared.settings import Settings
from shared.suspension import name_here
from shared.web.assets import fingerprint
from shared.web.catalogue import LANGUAGES, Catalogue, Language
from shared.web.whole_dates import whole_dates


class Say:
    """The texts in one reader's language: `t(key, …)` in templates, which hand it to macros and filters."""

    def __init__(self, texts: Catalogue, language: Language) -> None:
        self._texts = texts
        self.language = language

    def __call__(self, key: str, /, **values: object) -> str:
        return self._texts.text(self.language, key, **values)

    def has(self, key: str) -> bool:
        return self._texts.has(key)


class Look:
    """Renders the templates of one package of pages (`templates/`, `texts/`) in the common layout.

    At the head of every page stands the organisation's name: that of the settings, but for others of the installation,
    whose own it is. The settings' language is for readers who ask for neither of ours.
    """

    def __init__(self, package: str, settings: Settings) -> None:
        self.texts = Catalogue("shared.web", package)
        self.language: Language = settings.language
        self._common = {
            "start_page": settings.start_page,
            **_others_pages(settings.public_url),
        }
        self.start_page = settings.start_page
        self._organisation_name = settings.organisation_name
        self._inbox_page = settings.inbox_page
        self._environment = Environment(
            loader=ChoiceLoader([PackageLoader(package), PackageLoader("shared.web")]),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        # Jinja's own would make "Vd" of "VD", and "4 december" of "4 December".
        self._environment.filters["capitalize"] = begun_large
        self._environment.filters |= {"day": _day, "weekday": _weekday, "size": _size, "place": _place}

    def page(
        self,
        request: Request,
        template: str,
        language: Language,
        *,
        status: int = HTTPStatus.OK,
        headers: dict[str, str] | None = None,
        **facts: Any,
    ) -> HTMLResponse:
        """The template with `facts`, and with `t(key, …)`, `path(route, …)` and `asset(name)`.

        `when(moment, zone)` is to the letter of the minutes and the report, `at(moment, zone)` in words.
        For people: `starts|day(t)`, `starts|weekday(t)`, `octets|size(t)`, `meeting_details|place(t)`.
        """
        html = self._environment.get_template(template).render(
            t=Say(self.texts, language),
            path=lambda name, **params: path_for(request, name, **params),
            asset=lambda name: path_for(request, "static", version=fingerprint(), name=name),
            when=lambda moment, zone: local_time(moment, zone, language),
            at=lambda moment, zone: readable.at(moment.astimezone(ZoneInfo(zone)), language),
            language=language,
            organisation=name_here() or self._organisation_name,
            login_csrf=partial(_login_csrf, request),
            inbox_page=self._inbox_page if _reads_mails(request) else "",
            **self._common,
            **facts,
        )
        return HTMLResponse(whole_dates(html), status, headers={"content-language": language, **(headers or {})})

    def preferred(self, request: Request) -> Language:
        return preferred_language(request.headers.get("accept-language", ""), self.language)


def _others_pages(public_url: str) -> dict[str, str]:
    """Where other services' pages lead to: paths, so that they hold by whichever name we are reached."""
    root = urlsplit(public_url).path.rstrip("/")
    return {
        "office_page": f"{root}/meetings/office",
        "documents_page": f"{root}/signing/overview",
        "token_login_page": f"{root}/signing/login",
        "logins_page": f"{root}/signing/logins",
        "logout_page": f"{root}/signing/logout",
        "extracts_page": f"{root}/archive/extracts",
    }


def _reads_mails(request: Request) -> bool:
    """Nobody is shown a way that ends in a refusal: the inbox holds signers' links, and is for secretaries."""
    return getattr(request.state, "role", None) is Role.SECRETARY


def _login_csrf(request: Request) -> str:
    """For the form that logs out: empty for who has no session, a token's bearer say."""
    access: Access = request.app.state.access
    cookie = access.cookie_of(request)
    return access.csrf_token(cookie) if cookie else ""


def path_for(request: Request, name: str, /, **params: Any) -> str:
    """A route's path as the browser sees it, below where the service is mounted.

    By the app, not by `scope["router"]`, which is the outermost one's and finds other services' routes of that name.
    """
    root: str = request.scope.get("root_path", "")
    return root.rstrip("/") + str(request.app.url_path_for(name, **params))


def local_time(moment: datetime, zone: str, language: Language) -> str:
    """`26 sep 2022 10:58 GMT+2`."""
    return stamp_time(moment, zone, language)


def _day(one: date | str, say: Say) -> str:
    return readable.day(_date(one), say.language)


def _weekday(one: date | str, say: Say) -> str:
    return readable.weekday(_date(one), say.language)


def _size(octets: int, say: Say) -> str:
    return readable.size(octets, say.language)


def _place(meeting: Any, say: Say) -> str:
    return readable.place(meeting.place, meeting.mode, say.language)


def _date(one: date | str) -> date:
    """Also as facts and forms have it, in ISO 8601."""
    return date.fromisoformat(one[:10]) if isinstance(one, str) else one


def preferred_language(accept_language: str, default: Language) -> Language:
    """The best of ours that the browser asks for (RFC 9110, section 12.5.4), else `default`."""
    wishes: list[tuple[float, Language]] = []
    for item in accept_language.split(",")[:20]:
        tag, _, parameter = item.strip().partition(";")
        primary = tag.partition("-")[0].strip().lower()
        for language in LANGUAGES:
            if primary == language:
                wishes.append((_quality(parameter), language))
    best = max(wishes, key=lambda wish: wish[0], default=(0.0, default))
    return best[1] if best[0] > 0 else default


def _quality(parameter: str) -> float:
    name, _, value = parameter.strip().partition("=")
    if name.strip().lower() != "q":
        return 1.0
    try:
        return min(float(value), 1.0)
    except ValueError:
        return 0.0


def begun_large(text: object) -> str:
    """As a sentence begins: the first letter is large, and the rest as it was. Markup stays markup."""
    written = text if isinstance(text, str) else str(text)
    return written[:1].upper() + written[1:]
