"""Keys: the short names by which registers and plans speak of a body or a person. Pure."""

import re
import unicodedata

from shared.errors import InvalidInput, says

MAX_KEY = 63  # characters
_KEY = re.compile(r"[a-z0-9][a-z0-9.-]{0,62}")


def clean_key(key: str, field: str = "key") -> str:
    """Raises InvalidInput."""
    if not _KEY.fullmatch(key):
        raise InvalidInput(
            f"{field}: {key[:80]!r} is no key",
            hint=f"a-z, 0-9, full stops and hyphens, at most {MAX_KEY} characters",
            says=says("key", field, given=key[:80], most=MAX_KEY),
        )
    return key


def key_from(name: str) -> str:
    """`Förbundsmöte` gives `forbundsmote`, `Maja Lind` gives `maja-lind`; `x` when nothing of the name can be kept."""
    plain = unicodedata.normalize("NFKD", name.casefold()).encode("ascii", "ignore").decode()
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[: MAX_KEY - 4].strip("-") or "x"


def free_key(name: str, taken: set[str]) -> str:
    """The name's key, with a number behind it when another has it."""
    key = key_from(name)
    numbered = (key if number == 1 else f"{key}-{number}" for number in range(1, len(taken) + 2))
    return next(one for one in numbered if one not in taken)
