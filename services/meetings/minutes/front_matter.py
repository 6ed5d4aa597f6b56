"""The YAML head of a minutes file, field by field."""

import re
from datetime import datetime
from typing import Never

from pydantic import BaseModel, ConfigDict

from shared.errors import InvalidInput
from shared.rendering.minutes import Attendee
from shared.text import clean_line
from shared.yaml_text import load_plain

MAX_FRONT_MATTER = 65_536  # characters
MAX_ATTENDEES = 500
MAX_ADJUSTERS = 4
MAX_PARAGRAPH_NUMBER = 99_999

_CHAIR = re.compile(r"(mötes)?ordf(örande|\.)?|chair(man|woman|person)?", re.IGNORECASE)
_LOCAL_TIME = re.compile(r"\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}(:\d{2})?")
_REQUIRED = ("title", "body", "place", "starts", "ends", "present", "secretary", "adjuster")
_OPTIONAL = ("first_paragraph",)
_ATTENDEE_FIELDS = ("name", "party", "municipality", "role")


class FrontMatter(BaseModel):
    """`starts` and `ends` are local to the body, without a zone. `chair` is empty when nobody present has that role."""

    model_config = ConfigDict(frozen=True)

    title: str
    body: str
    place: str
    starts: datetime
    ends: datetime
    present: tuple[Attendee, ...]
    secretary: str
    chair: str
    adjusters: tuple[str, ...]
    first_paragraph: int | None


def read_front_matter(text: str) -> FrontMatter:
    """Raises InvalidInput with one line that names the field, or the line as counted in the whole file."""
    if len(text) > MAX_FRONT_MATTER:
        raise InvalidInput(f"front matter: longer than {MAX_FRONT_MATTER} characters")
    fields = _mapping(load_plain(text, where="front matter", first_line=2), "front matter", _REQUIRED, _OPTIONAL)
    present = _present(fields["present"])
    starts, ends = _local_time(fields, "starts"), _local_time(fields, "ends")
    if ends < starts:
        raise InvalidInput("ends: is before starts")
    return FrontMatter(
        title=_line(fields["title"], "title"),
        body=_line(fields["body"], "body"),
        place=_line(fields["place"], "place"),
        starts=starts,
        ends=ends,
        present=present,
        secretary=_line(fields["secretary"], "secretary"),
        chair=_chair(present),
        adjusters=_adjusters(fields["adjuster"]),
        first_paragraph=_paragraph_number(fields.get("first_paragraph")),
    )


def _mapping(value: object, where: str, required: tuple[str, ...], optional: tuple[str, ...]) -> dict[str, object]:
    if not isinstance(value, dict):
        raise InvalidInput(f"{where}: must be fields, such as {required[0]}: …")
    for key in value:
        if key not in (*required, *optional):
            known = ", ".join((*required, *optional))
            raise InvalidInput(f"{where}: unknown field {_shown(key)}; the fields are {known}")
    for key in required:
        if key not in value or value[key] == "":
            raise InvalidInput(f"{key}: is missing" if where == "front matter" else f"{where}: {key} is missing")
    return value


def _present(value: object) -> tuple[Attendee, ...]:
    if not isinstance(value, list) or not value:
        raise InvalidInput("present: must be a list, one `- {name: …}` for each who was there")
    if len(value) > MAX_ATTENDEES:
        raise InvalidInput(f"present: more than {MAX_ATTENDEES} people")
    return tuple(_attendee(item, f"present, number {n}") for n, item in enumerate(value, 1))


def _attendee(value: object, where: str) -> Attendee:
    fields = _mapping(value, where, ("name",), _ATTENDEE_FIELDS[1:])
    texts = {key: _line(fields[key], f"{where}, {key}") for key in _ATTENDEE_FIELDS if fields.get(key, "") != ""}
    return Attendee(**texts)


def _chair(present: tuple[Attendee, ...]) -> str:
    chairs = [person.name for person in present if _CHAIR.fullmatch(person.role)]
    if len(chairs) > 1:
        raise InvalidInput("present: more than one has the role ordförande; a meeting has one chair")
    return "".join(chairs)


def _adjusters(value: object) -> tuple[str, ...]:
    names = value if isinstance(value, list) else [value]
    if not 1 <= len(names) <= MAX_ADJUSTERS:
        raise InvalidInput(f"adjuster: must be one name, or a list of up to {MAX_ADJUSTERS}")
    return tuple(_line(name, "adjuster") for name in names)


def _line(value: object, where: str) -> str:
    if not isinstance(value, str):
        raise InvalidInput(f"{where}: must be text on one line")
    return clean_line(value, where)


def _local_time(fields: dict[str, object], key: str) -> datetime:
    value = fields[key]
    if not isinstance(value, str) or not _LOCAL_TIME.fullmatch(value):
        _refuse_time(key)
    try:
        return datetime.fromisoformat(value)
    except ValueError:
        _refuse_time(key)


def _refuse_time(key: str) -> Never:
    raise InvalidInput(f"{key}: must be a local date and time such as 2022-09-23T13:00, without a zone")


def _paragraph_number(value: object) -> int | None:
    if value is None or value == "":
        return None
    if isinstance(value, str) and re.fullmatch(r"[0-9]{1,5}", value) and 1 <= int(value) <= MAX_PARAGRAPH_NUMBER:
        return int(value)
    raise InvalidInput(f"first_paragraph: must be a whole number from 1 to {MAX_PARAGRAPH_NUMBER}")


def _shown(key: object) -> str:
    """A foreign key, short and printable, so that a message stays one line."""
    return ascii(str(key)[:40])
