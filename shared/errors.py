"""Errors that a user can cause or must act on.

Every error that crosses a door (HTTP, command line, pages) derives from `JusteraError`: a stable `slug` for machines,
a one-line message that says what was wrong and where, and a hint that says what to do. Over HTTP they become RFC 9457
problem details (see `shared.http`); on the command line one line on stderr. Anything else is a bug of ours.
"""

from http import HTTPStatus
from typing import ClassVar


class JusteraError(Exception):
    """An expected refusal. `message` is one line for a person; `hint`, when given, says what to do next."""

    slug: ClassVar[str] = "refused"
    status: ClassVar[HTTPStatus] = HTTPStatus.CONFLICT

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


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


class Refused(JusteraError):
    """A rule of the business says no (not their turn, already signed, cancelled …)."""


class TooLarge(JusteraError):
    slug = "too-large"
    status = HTTPStatus.REQUEST_ENTITY_TOO_LARGE


class Unavailable(JusteraError):
    """A part we depend on (database, Kafka, mail server, another service) does not answer."""

    slug = "unavailable"
    status = HTTPStatus.SERVICE_UNAVAILABLE
