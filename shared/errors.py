"""Errors that a user can cause or must act on.

Every error that crosses a door (HTTP, command line, pages) derives from `JusteraError`: a stable `slug` for machines,
a one-line message that says what was wrong and where, and a hint that says what to do. Over HTTP they become RFC 9457
problem details (see `shared.http`); on the command line one line on stderr. Anything else is a bug of ours.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from http import HTTPStatus
from typing import ClassVar


@dataclass(frozen=True, slots=True)
class Says:
    """What a message says, for a page that says it in its reader's language: the key of a text and what fills it in.

    `field`: the field that it is about, as it is called where it was written; empty: none.
    """

    key: str
    values: Mapping[str, object]
    field: str = ""

    def of(self, field: str) -> "Says":
        return replace(self, field=field)


def says(key: str, field: str = "", /, **values: object) -> Says:
    return Says(key, values, field)


class JusteraError(Exception):
    """An expected refusal. `message` is one line for a person; `hint`, when given, says what to do next.

    `says`: both, where pages show them in other languages.
    """

    slug: ClassVar[str] = "refused"
    status: ClassVar[HTTPStatus] = HTTPStatus.CONFLICT

    def __init__(self, message: str, *, hint: str = "", says: Says | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.says = says


class InvalidInput(JusteraError):
    """What came in is malformed: nothing was changed."""

    slug = "invalid-input"
    status = HTTPStatus.UNPROCESSABLE_ENTITY


class NotFound(JusteraError):
    slug = "not-found"
    status = HTTPStatus.NOT_FOUND


class NotAuthenticated(JusteraError):
    slug = "not-authenticated"
    status = HTTPStatus.UNAUTHORIZED


class NotAllowed(JusteraError):
    """The caller is known, but lacks the role or belongs to another organisation."""

    slug = "not-allowed"
    status = HTTPStatus.FORBIDDEN


class StaleForm(NotAllowed):
    """A form without the token of the session that sends it: of another page, or of an earlier login or visit."""

    slug = "stale-form"


class Refused(JusteraError):
    """A rule of the business says no (not their turn, already signed, cancelled …)."""


class TooLarge(JusteraError):
    slug = "too-large"
    status = HTTPStatus.REQUEST_ENTITY_TOO_LARGE


class Unavailable(JusteraError):
    """A part we depend on (database, Kafka, mail server, another service) does not answer."""

    slug = "unavailable"
    status = HTTPStatus.SERVICE_UNAVAILABLE
