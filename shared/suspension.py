"""Whether an organisation's doors are open: asked wherever it becomes known whose a request is.

That is at three places, and no other lets anybody in: a token or session (`shared.auth`), a visit's cookie (there too),
a mailed link (`shared.links`). What they go by is set for each request before the app has it (`shared.organisations`);
outside of requests nobody is kept out: facts are taken in, and what waits is left out by the statements that look for
it.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field

from shared.errors import NotAllowed, Unavailable


class OrganisationSuspended(NotAllowed):
    slug = "organisation-suspended"


class OrganisationErased(NotAllowed):
    slug = "organisation-erased"


@dataclass(frozen=True, slots=True)
class OwnMail:
    """Where an organisation's mails are from; empty where the settings say it."""

    mail_from: str = ""
    bounce_domain: str = ""


_OF_THE_SETTINGS = OwnMail()


@dataclass(frozen=True, slots=True)
class Known:
    """What is known in a request. `own`: the installation's own organisation, which is never suspended. `suspended`:
    None while nobody knows, and then no other is let in. `names`: of the others, as people write them. `erased`:
    those of the suspended that are erased, or are being. `mails`: where the others' mails are from."""

    own: str
    suspended: frozenset[str] | None
    names: Mapping[str, str] = field(default_factory=dict)
    erased: frozenset[str] = frozenset()
    mails: Mapping[str, OwnMail] = field(default_factory=dict)

    def name_of(self, organisation: str) -> str:
        """Empty for one whose name is that of the settings."""
        return "" if organisation == self.own else self.names.get(organisation, "")

    def mail_of(self, organisation: str) -> OwnMail:
        return _OF_THE_SETTINGS if organisation == self.own else self.mails.get(organisation, _OF_THE_SETTINGS)


_KNOWN: ContextVar[Known | None] = ContextVar("justera_suspended", default=None)
_HERE: ContextVar[str] = ContextVar("justera_organisation_here", default="")


@contextmanager
def knowing(known: Known | None) -> Iterator[None]:
    """For what is done meanwhile, for whom nobody knows yet. None: nothing is known, and nobody kept out."""
    token, here = _KNOWN.set(known), _HERE.set("")
    try:
        yield
    finally:
        _KNOWN.reset(token)
        _HERE.reset(here)


def require_active(organisation: str) -> None:
    """The request is this organisation's. Raises OrganisationSuspended, and Unavailable while it cannot be told."""
    known = _KNOWN.get()
    _HERE.set(known.name_of(organisation) if known is not None else "")
    if known is None or organisation == known.own:
        return
    if known.suspended is None:
        raise Unavailable("the database does not answer", hint="try again in a moment")
    if organisation in known.erased:
        raise OrganisationErased(
            "the organisation was erased: nothing of it is here any more", hint="there is nothing that can be done here"
        )
    if organisation in known.suspended:
        raise OrganisationSuspended(
            "the organisation is suspended: nothing of it can be seen or changed, and nothing is lost",
            hint="ask whoever runs the installation; what waits goes on when it is resumed",
        )


def name_here() -> str:
    """Of the organisation that the request is of, as people write it; empty where the settings' name holds."""
    return _HERE.get()
