"""The fields of minutes, as they are written and as they stand in a form: a line for each person. Pure.

In a form a person is one line of values between semicolons, in the order of `COLUMNS`; the last ones may be left out.
"""

import json
import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from services.meetings.minutes.front_matter import MAX_FRONT_MATTER
from shared.errors import InvalidInput
from shared.plain_text import lines_of, one_line
from shared.yaml_text import load_plain

LINES = ("title", "place", "starts", "ends", "secretary", "adjuster", "reference", "first_paragraph")
COLUMNS = {
    "present": ("name", "party", "municipality", "role", "serves_for", "items"),
    "absent": ("name", "party", "municipality", "role"),
    "others": ("name", "title", "municipality", "items"),
}
_BARE = re.compile(r"[0-9](?:[0-9T:-]*[0-9T-])?")


def as_yaml(fields: Mapping[str, Any]) -> str:
    """One person a line. JSON's strings and lists are YAML's (YAML 1.2, section 1.3). Empty fields fall away."""
    made = ""
    for name, value in fields.items():
        if isinstance(value, datetime):
            made += f"{name}: {value:%Y-%m-%dT%H:%M}\n"
        elif isinstance(value, list) and value and isinstance(value[0], dict):
            people = ("{" + ", ".join(f"{k}: {_quoted(v)}" for k, v in one.items() if v) + "}" for one in value)
            made += f"{name}:\n" + "".join(f"  - {one}\n" for one in people)
        elif value:
            made += f"{name}: {value if isinstance(value, str) and _BARE.fullmatch(value) else _quoted(value)}\n"
    return made


def _quoted(value: Any) -> str:
    """A list of one is what stands in it."""
    return json.dumps(value[0] if isinstance(value, list) and len(value) == 1 else value, ensure_ascii=False)


def in_a_form(text: str) -> dict[str, str]:
    """`text`: YAML of the fields. By the names of `LINES` and `COLUMNS`. Raises InvalidInput for what is no YAML."""
    if len(text) > MAX_FRONT_MATTER:
        raise InvalidInput(f"front matter: longer than {MAX_FRONT_MATTER} characters")
    fields = load_plain(text, where="front matter", first_line=2)
    given = fields if isinstance(fields, dict) else {}
    form = {name: _listed(given.get(name, ""), ", ") for name in LINES}
    for name, columns in COLUMNS.items():
        people = given.get(name, "")
        rows = [_row(one, columns) for one in people] if isinstance(people, list) else []
        form[name] = "\n".join(rows)
    return form


def _listed(value: object, between: str) -> str:
    return between.join(str(one) for one in value) if isinstance(value, list) else str(value or "")


def _row(person: object, columns: tuple[str, ...]) -> str:
    if not isinstance(person, dict):
        return _plain(str(person))
    values = [_plain(_listed(person.get(column, ""), ", ")) for column in columns]
    while values and not values[-1]:
        values.pop()
    return "; ".join(values)


def _plain(text: str) -> str:
    return one_line(text).replace(";", ",")


def of_a_form(form: Mapping[str, str], body: str) -> str:
    """As YAML. Raises InvalidInput that names the field, and the line of a person with too many values."""
    fields: dict[str, Any] = {}
    for name in LINES:
        fields[name] = one_line(form.get(name, ""))
        if name == "title":
            fields["body"] = body
    adjusters = [one.strip() for one in fields["adjuster"].split(",") if one.strip()]
    fields["adjuster"] = adjusters
    for name, columns in COLUMNS.items():
        fields[name] = list(_people(form.get(name, ""), name, columns))
    return as_yaml(fields)


def _people(text: str, name: str, columns: tuple[str, ...]) -> list[dict[str, Any]]:
    people: list[dict[str, Any]] = []
    for line in lines_of(text):
        if not line.strip():
            continue
        values = [one_line(value) for value in line.split(";")]
        if len(values) > len(columns):
            raise InvalidInput(f"{name}, number {len(people) + 1}: has more than {len(columns)} values between ;")
        person: dict[str, Any] = dict(zip(columns, values, strict=False))
        if person.get("items"):
            person["items"] = [one.strip().lstrip("§ ") for one in person["items"].replace("–", "-").split(",")]
        people.append(person)
    return people
