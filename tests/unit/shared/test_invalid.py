"""What pydantic finds wrong is said in our words, whatever its own are."""

from datetime import date, datetime, time
from enum import StrEnum
from typing import Annotated, Any, Literal, get_args
from uuid import UUID

import pytest
from pydantic import AnyUrl, AwareDatetime, BaseModel, ConfigDict, Field, NaiveDatetime, TypeAdapter, ValidationError
from pydantic_core import core_schema

from shared import invalid


class Colour(StrEnum):
    RED = "red"
    BLUE = "blue"


class Item(BaseModel):
    model_config = ConfigDict(extra="forbid")

    title: str
    kind: Colour = Colour.RED


class Rules(BaseModel):
    model_config = ConfigDict(extra="forbid")

    items: tuple[Item, ...] = Field((), max_length=2)


def first(kind: Any, given: object) -> Any:
    with pytest.raises(ValidationError) as found:
        TypeAdapter(kind).validate_python(given)
    return found.value.errors(include_url=False)[0]


@pytest.mark.parametrize(
    ("kind", "given", "said", "key"),
    [
        (str, 3, "must be text", "text"),
        (Annotated[str, Field(max_length=2)], "abc", "is longer than 2 characters", "too_long"),
        (Annotated[str, Field(min_length=1)], "", "is empty", "empty"),
        (int, "many", "must be a whole number", "whole_number"),
        (int, 1.5, "must be a whole number", "whole_number"),
        (Annotated[int, Field(ge=1)], 0, "must be at least 1", "at_least"),
        (Annotated[int, Field(le=9)], 10, "must be at most 9", "at_most"),
        (bool, "perhaps", "must be yes or no", "yes_or_no"),
        (Colour, "green", "'green' is unknown; known are red, blue", "unknown_word"),
        (Literal["sv", "en"], "de\u202e", "'de\N{REPLACEMENT CHARACTER}' is unknown; known are sv, en", "unknown_word"),
        (Colour, ["red"], "must be one of red, blue", "one_of"),
        (date, "soon", "is no date such as 2023-02-24", "day"),
        (datetime, "soon", "is no time such as 2023-02-24T09:00", "moment"),
        (Rules, "none", "must be fields, each with its name", "with_names"),
        (Rules, {"items": "Val"}, "must be a list, one `- …` for each", "list"),
        (Rules, {"items": [{}]}, "is missing", "missing"),
        (Rules, {"items": [{"title": "a", "color": 1}]}, "is a field that is not known here", "not_known_here"),
        (Rules, {"items": [{"title": "a"}] * 3}, "has more than 2 entries", "many_entries"),
    ],
)
def test_what_is_wrong_is_said_in_our_words(kind: Any, given: object, said: str, key: str) -> None:
    what, says = invalid.told(first(kind, given), "field")
    assert (what, says.key, says.field) == (said, key, "field")


def test_who_sends_json_reads_nothing_of_yaml() -> None:
    assert invalid.what(first(Rules, {"items": "Val"})) == "must be a list"
    assert invalid.what(first(bool, "perhaps")) == "must be true or false"


def test_no_sentence_of_pydantics_is_left() -> None:
    """Of all that it knows to say, also of kinds of values that we have none of today."""
    kinds = get_args(core_schema.ErrorType)
    assert len(kinds) > 80
    words = dict.fromkeys(("expected", "expected_tags", "pattern", "error"), "'a' or 'b'")
    limits = dict.fromkeys(("ge", "gt", "le", "lt", "min_length", "max_length"), 3)
    for kind in kinds:
        assert invalid.what({"type": kind, "ctx": words | limits, "input": "x"}), kind
    with pytest.raises(ValidationError) as theirs:
        raise ValidationError.from_exception_data("x", [{"type": "value_error", "ctx": {"error": ValueError("ours")}}])
    assert invalid.what(theirs.value.errors()[0]) == "ours"


@pytest.mark.parametrize(
    ("kind", "given"),
    [
        (AwareDatetime, datetime(2023, 1, 1)),
        (NaiveDatetime, "2023-01-01T00:00Z"),
        (time, "x"),
        (UUID, "x"),
        (AnyUrl, "x"),
    ],
)
def test_kinds_of_values_have_words_of_their_own(kind: Any, given: object) -> None:
    assert invalid.what(first(kind, given)) != "has a value that cannot be used"


def test_a_place_counts_from_one_as_files_do() -> None:
    assert invalid.place(first(Rules, {"items": [{"title": "a"}, {}]})["loc"]) == "items, number 2, title"
