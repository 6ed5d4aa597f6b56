"""What pydantic says is wrong, in our words: its sentences are for programmers, and change with its versions. Pure."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from shared.errors import Says, says

_QUOTED = re.compile(r"'([^']*)'")
_LONGEST = 40
_LIST = frozenset({"list_type", "tuple_type", "set_type", "frozen_set_type", "iterable_type"})
_FIELDS = frozenset({"dict_type", "mapping_type", "model_type", "model_attributes_type", "dataclass_type"})
_LIMITS = {
    "greater_than_equal": ("ge", "at least"),
    "greater_than": ("gt", "more than"),
    "less_than_equal": ("le", "at most"),
    "less_than": ("lt", "less than"),
}

Trouble = Mapping[str, Any]
"""One of `ValidationError.errors()`."""


def place(loc: Sequence[str | int]) -> str:
    """`standing_items, number 2, kind`: as places in a file are named."""
    return ", ".join(f"number {part + 1}" if isinstance(part, int) else part for part in loc if part != "[key]")


_IN_A_FILE = {"must be a list": "must be a list, one `- …` for each", "must be true or false": "must be yes or no"}


def what(trouble: Trouble) -> str:
    """`is missing`, `must be at least 1`: to stand behind the field's name and a colon, of JSON as of a file."""
    return _told(trouble, "")[0]


def told(trouble: Trouble, field: str) -> tuple[str, Says]:
    """Of a file that people write, in YAML: in English, and for a page in other languages; `field` as it is called
    there."""
    said, words = _told(trouble, field)
    return _IN_A_FILE.get(said, said), words


def _told(trouble: Trouble, field: str) -> tuple[str, Says]:
    kind, more = str(trouble["type"]), trouble.get("ctx", {})
    for one in (_of_absence, _of_text, _of_shape, _of_number, _of_choice, _of_time):
        if (found := one(kind, more, trouble.get("input"), field)) is not None:
            return found
    if kind in ("value_error", "assertion_error"):  # said by a rule of ours
        return str(more.get("error", "")) or "cannot be used", says("value", field)
    return "has a value that cannot be used", says("value", field)


_Found = tuple[str, Says] | None


def _of_absence(kind: str, more: Trouble, given: object, field: str) -> _Found:
    if kind in ("missing", "union_tag_not_found"):
        return "is missing", says("missing", field)
    if kind == "extra_forbidden":
        return "is a field that is not known here", says("not_known_here", field)
    if kind.startswith("json_"):
        return "cannot be read as JSON", says("value", field)
    return None


def _of_text(kind: str, more: Trouble, given: object, field: str) -> _Found:
    if kind in ("string_type", "string_sub_type", "bytes_type"):
        return "must be text", says("text", field)
    if kind == "string_unicode":
        return "has characters that cannot be used", says("characters", field)
    if kind == "string_too_long":
        return f"is longer than {more['max_length']} characters", says("too_long", field, most=more["max_length"])
    if kind == "string_too_short" and more["min_length"] == 1:
        return "is empty", says("empty", field)
    if kind == "string_too_short":
        return f"is shorter than {more['min_length']} characters", says("too_short", field, least=more["min_length"])
    if kind == "string_pattern_mismatch":
        return f"is not of the form {more['pattern']}", says("value", field)
    return None


def _of_shape(kind: str, more: Trouble, given: object, field: str) -> _Found:
    if kind in _LIST:
        return "must be a list", says("list", field, example="- …")
    if kind in _FIELDS:
        return "must be fields, each with its name", says("with_names", field)
    if kind == "too_long":
        return f"has more than {more['max_length']} entries", says("many_entries", field, most=more["max_length"])
    if kind == "too_short":
        return f"needs at least {more['min_length']}", says("few_entries", field, least=more["min_length"])
    return None


def _of_number(kind: str, more: Trouble, given: object, field: str) -> _Found:
    if kind in _LIMITS:
        name, word = _LIMITS[kind]
        limit = more[name]
        if kind == "greater_than_equal":
            return f"must be {word} {limit}", says("at_least", field, least=limit)
        if kind == "less_than_equal":
            return f"must be {word} {limit}", says("at_most", field, most=limit)
        return f"must be {word} {limit}", says("value", field)
    if kind.startswith("int_"):
        return "must be a whole number", says("whole_number", field)
    if kind.startswith(("float_", "decimal_")) or kind == "finite_number":
        return "must be a number", says("value", field)
    if kind.startswith("bool_"):
        return "must be true or false", says("yes_or_no", field)
    return None


def _of_choice(kind: str, more: Trouble, given: object, field: str) -> _Found:
    if kind not in ("enum", "literal_error", "union_tag_invalid"):
        return None
    known = ", ".join(_QUOTED.findall(str(more.get("expected", more.get("expected_tags", "")))))
    if not known:
        return "has a value that cannot be used", says("value", field)
    if not isinstance(given, str):
        return f"must be one of {known}", says("one_of", field, known=known)
    shown = "".join(char if char.isprintable() else "\N{REPLACEMENT CHARACTER}" for char in given[:_LONGEST])
    return f"{shown!r} is unknown; known are {known}", says("unknown_word", field, given=shown, known=known)


def _of_time(kind: str, more: Trouble, given: object, field: str) -> _Found:
    shown = str(given)[:_LONGEST]
    if kind.startswith("date_") and kind not in ("date_past", "date_future"):
        return "is no date such as 2023-02-24", says("day", field, given=shown)
    if kind.startswith("datetime_"):
        return "is no time such as 2023-02-24T09:00", says("moment", field)
    if kind == "timezone_naive":
        return "must be local time, without an offset", says("value", field)
    if kind == "timezone_aware":
        return "needs an offset, such as Z or +01:00", says("value", field)
    if kind.startswith("time_"):
        return "is no time such as 09:00", says("value", field)
    if kind.startswith("uuid_"):
        return "is no id of ours", says("value", field)
    if kind.startswith("url_"):
        return "is no link", says("link", field)
    return None
