"""The rules of an organisation (association) of the installation: added, changed, suspended, resumed, erased. Pure.

The installation's own organisation is not among them: it is what the settings say, and stands as long as they do.
"""

import re
from datetime import datetime

from pydantic import BaseModel, ConfigDict, Field

from shared.errors import InvalidInput, Refused
from shared.events import (
    OrganisationAdded,
    OrganisationChanged,
    OrganisationErased,
    OrganisationResumed,
    OrganisationSuspended,
)
from shared.names import Standing
from shared.rendering.minutes import Language
from shared.text import ascii_domain, clean_line, clean_mailbox, clean_reason

MOST_ORGANISATIONS = 5000
"""In one installation: every row is read when one of them asks who is suspended, and none of that is paged."""

_ID = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")  # as of `Settings.organisation`: it is part of every key and link

_LABEL = r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?"
_DOMAIN = re.compile(rf"(?=.{{1,253}}$){_LABEL}(\.{_LABEL})+")  # RFC 1035, as RFC 1123 has it


class OrganisationDetails(BaseModel):
    """What people say of an organisation. `language`: of its texts, where a reader has chosen none. `mail_from`: the
    address that its mails are from, `bounce_domain`: the domain of their return paths; empty for the installation's."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(max_length=4000)
    language: Language = "sv"
    mail_from: str = Field("", max_length=320)
    bounce_domain: str = Field("", max_length=253)


class Organisation(BaseModel):
    """An organisation's state. `id`: its short name, part of every key of its rows and of every link: it never changes.
    `version` counts its facts. `reason`: why it is suspended. `erased_at`: of one that was erased, which stays
    suspended and has no name: since when it is no more."""

    model_config = ConfigDict(frozen=True)

    id: str
    version: int
    standing: Standing
    reason: str = ""
    details: OrganisationDetails
    erased_at: datetime | None = None


def add(organisation_id: str, details: OrganisationDetails) -> tuple[Organisation, OrganisationAdded]:
    """Raises InvalidInput."""
    if not _ID.fullmatch(organisation_id):
        raise InvalidInput(
            f"id: {organisation_id[:80]!r} is no short name",
            hint="a-z, 0-9 and hyphens, at most 63 characters; it can never be changed",
        )
    cleaned = clean_details(details)
    made = Organisation(id=organisation_id, version=1, standing=Standing.ACTIVE, details=cleaned)
    return made, OrganisationAdded(**cleaned.model_dump())


def change(organisation: Organisation, details: OrganisationDetails) -> tuple[Organisation, OrganisationChanged | None]:
    """No fact where nothing is otherwise. A suspended one can be changed, too. Raises InvalidInput,
    Refused."""
    _require_not_erased(organisation)
    cleaned = clean_details(details)
    if cleaned == organisation.details:
        return organisation, None
    changed = organisation.model_copy(update={"version": organisation.version + 1, "details": cleaned})
    return changed, OrganisationChanged(**cleaned.model_dump())


def suspend(organisation: Organisation, reason: str = "") -> tuple[Organisation, OrganisationSuspended]:
    """Raises Refused for one that is, InvalidInput."""
    _require_not_erased(organisation)
    if organisation.standing is Standing.SUSPENDED:
        raise Refused(f"{organisation.id} is suspended already", hint="resume it, or leave it so")
    cleaned = clean_reason(reason) if reason.strip() else ""
    changed = {"version": organisation.version + 1, "standing": Standing.SUSPENDED, "reason": cleaned}
    return organisation.model_copy(update=changed), OrganisationSuspended(reason=cleaned)


def resume(organisation: Organisation) -> tuple[Organisation, OrganisationResumed]:
    """Raises Refused for one that is active."""
    _require_not_erased(organisation)
    if organisation.standing is Standing.ACTIVE:
        raise Refused(f"{organisation.id} is not suspended", hint="there is nothing to do: its doors are open")
    changed = {"version": organisation.version + 1, "standing": Standing.ACTIVE, "reason": ""}
    return organisation.model_copy(update=changed), OrganisationResumed()


def erase(organisation: Organisation, confirmed: str, at: datetime) -> tuple[Organisation, OrganisationErased]:
    """The last word about it. Of one that was erased it is told again: to services that did not know the word when they
    heard it. `confirmed`: the short name, typed once more. Raises Refused for one that is not suspended, InvalidInput.
    """
    if confirmed != organisation.id:
        raise InvalidInput("confirm: is not the organisation's short name", hint="type the short name once more")
    if organisation.standing is not Standing.SUSPENDED:
        raise Refused(
            f"{organisation.id} is not suspended",
            hint="suspend it first: what people of it have in hand comes to an end then; export it, and then erase it",
        )
    changed = {
        "version": organisation.version + 1,
        "reason": "",
        "details": OrganisationDetails(name=""),
        "erased_at": organisation.erased_at or at,
    }
    return organisation.model_copy(update=changed), OrganisationErased()


def _require_not_erased(organisation: Organisation) -> None:
    if organisation.erased_at is not None:
        raise Refused(
            f"{organisation.id} was erased", hint="that is final; add an organisation with another short name"
        )


def clean_details(details: OrganisationDetails) -> OrganisationDetails:
    """Raises InvalidInput that begins with the field's name."""
    return details.model_copy(
        update={
            "name": clean_line(details.name, "name"),
            "mail_from": _mail_from(details.mail_from),
            "bounce_domain": _bounce_domain(details.bounce_domain),
        }
    )


def _mail_from(given: str) -> str:
    """Raises InvalidInput."""
    try:
        return clean_mailbox(given) if given.strip() else ""
    except InvalidInput as error:
        raise InvalidInput(
            f"mail_from: {error.message}", hint="an address alone, such as protokoll@norrdalen.example"
        ) from error


def _bounce_domain(given: str) -> str:
    """As mail servers look it up. Raises InvalidInput."""
    domain = given.strip().lower()
    if not domain:
        return ""
    hint = "such as studs.norrdalen.example, without an @"
    try:
        found = ascii_domain(domain)
    except InvalidInput as error:
        raise InvalidInput(f"bounce_domain: {error.message}", hint=hint) from error
    if not _DOMAIN.fullmatch(found):
        raise InvalidInput(f"bounce_domain: {given[:80]!r} is no domain", hint=hint)
    return found
