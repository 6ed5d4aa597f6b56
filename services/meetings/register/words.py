"""The words of registers, in Swedish and English. Pure."""

from collections.abc import Mapping
from datetime import date
from enum import StrEnum
from typing import TypeVar

from services.meetings.body.body import BodyKind
from services.meetings.body.membership import MemberRole
from shared.errors import InvalidInput, says

EnumT = TypeVar("EnumT", bound=StrEnum)

_ROLES = {
    "ordförande": MemberRole.CHAIR,
    "ordf": MemberRole.CHAIR,
    "1:e vice ordförande": MemberRole.FIRST_VICE_CHAIR,
    "1 vice ordförande": MemberRole.FIRST_VICE_CHAIR,
    "förste vice ordförande": MemberRole.FIRST_VICE_CHAIR,
    "första vice ordförande": MemberRole.FIRST_VICE_CHAIR,
    "1 v ordf": MemberRole.FIRST_VICE_CHAIR,
    "vice ordförande": MemberRole.FIRST_VICE_CHAIR,
    "2:e vice ordförande": MemberRole.SECOND_VICE_CHAIR,
    "2 vice ordförande": MemberRole.SECOND_VICE_CHAIR,
    "andre vice ordförande": MemberRole.SECOND_VICE_CHAIR,
    "andra vice ordförande": MemberRole.SECOND_VICE_CHAIR,
    "2 v ordf": MemberRole.SECOND_VICE_CHAIR,
    "ledamot": MemberRole.MEMBER,
    "ordinarie ledamot": MemberRole.MEMBER,
    "ordinarie": MemberRole.MEMBER,
    "ersättare": MemberRole.SUBSTITUTE,
    "suppleant": MemberRole.SUBSTITUTE,
    "sekreterare": MemberRole.SECRETARY,
    "adjungerad": MemberRole.CO_OPTED,
}
_KINDS = {
    "styrelse": BodyKind.BOARD,
    "arbetsutskott": BodyKind.COMMITTEE,
    "utskott": BodyKind.COMMITTEE,
    "förbundsmöte": BodyKind.CONGRESS,
    "årsmöte": BodyKind.CONGRESS,
    "nätverk": BodyKind.NETWORK,
    "styrgrupp": BodyKind.STEERING_GROUP,
    "revisorer": BodyKind.AUDITORS,
}
_FIELDS = {
    "personer": "people",
    "organ": "body",
    "namn": "name",
    "nyckel": "key",
    "typ": "kind",
    "slag": "kind",
    "ledamöter": "members",
    "e-post": "email",
    "epost": "email",
    "e-mail": "email",
    "språk": "language",
    "parti": "party",
    "kommun": "municipality",
    "roll": "role",
    "ordning": "order",
    "från": "from",
    "till": "to",
    "offentligt": "public",
    "offentligt arkiv": "public_archive",
    "tom": "to",
}


def field_name(word: str) -> str:
    """`E-post` -> `email`; a word that we do not know stays, in small letters."""
    plain = word.strip().casefold()
    return _FIELDS.get(plain, plain.replace(" ", "_"))


def role_of(word: str) -> MemberRole:
    """Raises InvalidInput."""
    return chosen(word, MemberRole, _ROLES, "role")


def kind_of(word: str) -> BodyKind:
    """Raises InvalidInput."""
    return chosen(word, BodyKind, _KINDS, "kind")


def day_of(text: str, field: str) -> date:
    """Raises InvalidInput."""
    try:
        if len(text) != 10:
            raise ValueError
        return date.fromisoformat(text)
    except ValueError as error:
        raise InvalidInput(
            f"{field}: {text[:40]!r} is no date such as 2023-02-24", says=says("day", field, given=text[:40])
        ) from error


def chosen(word: str, known: type[EnumT], also: Mapping[str, EnumT], field: str) -> EnumT:
    """By our word, or by one of `also`, however spaced or capitalised. Raises InvalidInput that lists them."""
    plain = " ".join(word.casefold().replace(".", " ").split())
    if plain in also:
        return also[plain]
    try:
        return known(plain.replace(" ", "_").replace("-", "_"))
    except ValueError as error:
        said = ", ".join(sorted({*known, *also}))
        raise InvalidInput(
            f"{field}: {word[:40]!r} is unknown",
            hint=f"known are {said}",
            says=says("unknown_word", field, given=word[:40], known=said),
        ) from error
