"""A place in a body as a file has it, with all that is wrong with it. Pure."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from services.meetings.body.membership import Basis
from services.meetings.register.register import Problems, WantedSeat
from services.meetings.register.words import day_of, role_of
from shared.errors import InvalidInput, says


def seat_of(
    texts: Mapping[str, str], person: str | None, where: str, problems: Problems, basis: Basis | None = None
) -> WantedSeat | None:
    """`texts`: by our names of the fields. What is wrong goes to `problems`, each field's on its own; None then, and
    without a `person`, of whom something is wrong."""
    found: dict[str, Any] = {}
    if "role" not in texts:
        problems.add(where, "role: is missing", says("missing", "role"))
    for name, read in _READ.items():
        if name in texts:
            with problems.at(where):
                found[name] = read(texts[name])
    if person is None or "role" not in found or found.keys() != _READ.keys() & texts.keys():
        return None
    return WantedSeat(person, found["role"], found.get("order"), found.get("from"), found.get("to"), basis)


def _order_of(text: str) -> int:
    """Raises InvalidInput."""
    if not (text.isascii() and text.isdigit() and 1 <= int(text[:5]) <= 1000 and len(text) < 5):
        raise InvalidInput(
            f"order: {text[:20]!r} is no whole number from 1 to 1000", says=says("order", "order", given=text[:20])
        )
    return int(text)


_READ: dict[str, Callable[[str], Any]] = {
    "role": role_of,
    "order": _order_of,
    "from": partial(day_of, field="from"),
    "to": partial(day_of, field="to"),
}
