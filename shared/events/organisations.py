"""Facts of meetings about the organisations (associations) that one installation serves. Subject and key: the
organisation's own short name, which is also that of the envelope."""

from typing import ClassVar

from pydantic import Field

from shared.events import topics
from shared.events.base import Event


class _OrganisationEvent(Event):
    abstract: ClassVar[bool] = True
    service: ClassVar[str] = "meetings"
    topic: ClassVar[str] = topics.ORGANISATIONS


class _DetailsEvent(_OrganisationEvent):
    abstract: ClassVar[bool] = True

    name: str = Field(description="as people write it")
    language: str = Field(description="of its texts, where a reader has chosen none: sv or en")
    mail_from: str = Field("", description="the address that its mails are from; empty: the installation's")
    bounce_domain: str = Field("", description="the domain of its mails' return paths; empty: the installation's")


class OrganisationAdded(_DetailsEvent):
    """The installation serves one more organisation."""


class OrganisationChanged(_DetailsEvent):
    """It is called otherwise, or its mails are from elsewhere; all details are told again."""


class OrganisationSuspended(_OrganisationEvent):
    """Its people and its links are refused, its mails and deadlines wait, until it is resumed. Nothing is lost."""

    reason: str = Field(description="for who runs the installation, or reads the organisation's journal; may be empty")


class OrganisationErased(_OrganisationEvent):
    """All that is its own is erased, by each service in its own database; its short name is never used again. Told
    again, it is the same fact. Events of the organisation that come after are dropped."""


class OrganisationResumed(_OrganisationEvent):
    """It goes on, with what waited."""
