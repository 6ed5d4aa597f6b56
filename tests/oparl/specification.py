"""What OParl 1.1 says that an object has, as JSON Schema.

`fields.yaml` has it in our words. The specification's own schema files (OParl/spec, `schema/`, CC BY-SA 4.0) are no
part of this project: where `JUSTERA_OPARL_SCHEMAS` names a folder with them, they judge in its place, and a test holds
both against each other.
"""

import json
import os
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import yaml
from jsonschema import Draft202012Validator, FormatChecker

NAMESPACE = "https://schema.oparl.org/1.1/"
OFFICIAL = os.environ.get("JUSTERA_OPARL_SCHEMAS")
_FORMS = FormatChecker(formats=("date",))
_EVERYWHERE = ("created", "modified")  # section 4.1: of every object
_PLAIN = {"string", "integer", "boolean", "object"}


@_FORMS.checks("url")
def _is_url(text: object) -> bool:
    return isinstance(text, str) and urlsplit(text).scheme in ("http", "https") and bool(urlsplit(text).hostname)


@_FORMS.checks("date-time")
def _is_moment(text: object) -> bool:
    """With its offset from UTC (section 3.1.4)."""
    try:
        return isinstance(text, str) and datetime.fromisoformat(text).tzinfo is not None
    except ValueError:
        return False


@cache
def our_words() -> dict[str, dict[str, str]]:
    """By type, each field's form."""
    found: dict[str, dict[str, str]] = yaml.safe_load((Path(__file__).parent / "fields.yaml").read_text("utf-8"))
    return found


@cache
def schema_of(kind: str) -> dict[str, Any]:
    """By the name of a type, such as Meeting."""
    if OFFICIAL:
        official: dict[str, Any] = json.loads((Path(OFFICIAL) / f"{kind}.json").read_text("utf-8"))
        return official
    fields = our_words()[kind]
    return {
        "type": "object",
        "required": [name for name, form in fields.items() if form.endswith("!")],
        "properties": {name: _property(form.removesuffix(" !")) for name, form in fields.items()}
        | {"type": {"const": f"{NAMESPACE}{kind}"}},
    }


def lists_of(kind: str) -> dict[str, str]:
    """By field, of what it is a list."""
    forms = ((name, form.removesuffix(" !")) for name, form in our_words()[kind].items())
    return {name: form.removeprefix("list ") for name, form in forms if form.startswith("list ")}


def problems(thing: dict[str, Any]) -> list[str]:
    """What is wrong with an object and those inside it. One that is deleted has nothing but its mark."""
    kind = str(thing.get("type", "")).removeprefix(NAMESPACE)
    if kind not in our_words():
        return [f"{thing.get('type')!r} is no type"]
    if thing.get("deleted"):
        left = {"id", "type", "created", "modified", "deleted"}
        return [f"{kind}, deleted: {set(thing) ^ left}"] if set(thing) != left else []
    judge = Draft202012Validator(schema_of(kind), format_checker=_FORMS)
    found = [f"{kind}: {error.json_path} {error.message}" for error in judge.iter_errors(thing)]
    found += [f"{kind}: without {name}" for name in _EVERYWHERE if name not in thing]
    found += [f"{kind}: {name} is no field" for name in thing if name not in our_words()[kind] and ":" not in name]
    found += [f"{kind}: {name} says nothing" for name, value in thing.items() if value is None]
    return [*found, *(problem for inner in _inside(thing) for problem in problems(inner))]


def _inside(thing: dict[str, Any]) -> list[dict[str, Any]]:
    values = [value if isinstance(value, list) else [value] for value in thing.values()]
    return [one for value in values for one in value if isinstance(one, dict)]


def _property(form: str) -> dict[str, Any]:
    if form.startswith("["):
        return {"type": "array", "items": _property(form[1:-1])}
    if form.startswith("list "):
        return {"type": "string", "format": "url"}
    if form in _PLAIN:
        return {"type": form}
    return {"type": "object"} if form[0].isupper() else {"type": "string", "format": form}
