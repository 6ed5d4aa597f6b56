"""The YAML head of a minutes file, field by field."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Never

from pydantic import BaseModel, ConfigDict

from shared.errors import InvalidInput
from shared.rendering.minutes import Attendee
from shared.text import clean_line
from shared.yaml_text import lines_of_fields, load_plain

MAX_FRONT_MATTER = 65_536  # characters
MAX_ATTENDEES = 500
MAX_ADJUSTERS = 4
MAX_ANNEXES = 50
MAX_PARAGRAPH_NUMBER = 99_999

_CHAIR = re.compile(r"(mötes)?ordf(örande|\.)?|chair(man|woman|person)?", re.IGNORECASE)
_LOCAL_TIME = re.compile(r"\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}(:\d{2})?")
_ITEMS = re.compile(r"([0-9]{1,4})(?:(-)([0-9]{1,4})?)?")
_TO_THE_END = 9999
_REQUIRED = ("title", "body", "place", "starts", "ends", "present", "secretary", "adjuster")
_OPTIONAL = ("first_paragraph", "reference", "absent", "others", "annexes")
_WHO = ("name", "party", "municipality", "role")
_PRESENT_FIELDS = (*_WHO, "serves_for", "items")
_OTHER_FIELDS = ("name", "title", "municipality", "items")
_HASH = re.compile(r"[0-9a-f]{64}")


class NamedAnnex(BaseModel):
    """An annex as the minutes name it, in `line` of the file. `file`: a name or an id of what the meeting has.

    `sha256`: of the file that is meant, in hexadecimal, or empty.
    """

    model_config = ConfigDict(frozen=True)

    title: str
    file: str
    sha256: str = ""
    line: int = 0


class FrontMatter(BaseModel):
    """`starts` and `ends` are local to the body, without a zone. `chair` is empty when nobody present has that role.

    The `paragraphs` of who was not there all the time count from 1, by their place in the file. `reference`: the
    diarienummer, or empty.
    """

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
    reference: str = ""
    absent: tuple[Attendee, ...] = ()
    others: tuple[Attendee, ...] = ()
    annexes: tuple[NamedAnnex, ...] = ()


def read_front_matter(text: str) -> FrontMatter:
    """Raises InvalidInput with one line that names the field, or the line as counted in the whole file."""
    if len(text) > MAX_FRONT_MATTER:
        raise InvalidInput(f"front matter: longer than {MAX_FRONT_MATTER} characters")
    fields = load_plain(text, where="front matter", first_line=2)
    lines = lines_of_fields(text, first_line=2)
    with _named_by_line(lines):
        front = _front_matter(_mapping(fields, "front matter", _REQUIRED, _OPTIONAL))
    placed = [
        one.model_copy(update={"line": lines.get(f"annexes, number {number}", lines.get("annexes", 0))})
        for number, one in enumerate(front.annexes, 1)
    ]
    return front.model_copy(update={"annexes": tuple(placed)})


def within(front: FrontMatter, count: int, text: str) -> FrontMatter:
    """Who was there, as far as the minutes' `count` paragraphs. `text`: of the front matter. Raises InvalidInput."""
    with _named_by_line(lines_of_fields(text, first_line=2)):
        return front.model_copy(
            update={
                "present": _within(front.present, "present", count),
                "others": _within(front.others, "others", count),
            }
        )


@contextmanager
def _named_by_line(lines: dict[str, int]) -> Iterator[None]:
    """What is refused says where it stands: `line 9: present, number 2: name is missing`."""
    try:
        yield
    except InvalidInput as error:
        subject = error.message.partition(":")[0]
        parts = subject.split(", ")
        line = lines.get(", ".join(parts[:2])) or lines.get(parts[0])
        if line is None:
            raise
        raise InvalidInput(f"line {line}: {error.message}", hint=error.hint) from error


def _front_matter(fields: dict[str, object]) -> FrontMatter:
    present = _people(fields["present"], "present", _PRESENT_FIELDS)
    absent = _people(fields.get("absent", ""), "absent", _WHO)
    others = _people(fields.get("others", ""), "others", _OTHER_FIELDS)
    if not present:
        raise InvalidInput("present: must be a list, one `- {name: …}` for each who was there")
    _refuse_in_two_places(present, absent, others)
    _refuse_serving_for_nobody(present, absent)
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
        reference=_line(fields["reference"], "reference") if fields.get("reference", "") != "" else "",
        absent=absent,
        others=others,
        annexes=_annexes(fields.get("annexes", "")),
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


def _people(value: object, where: str, known: tuple[str, ...]) -> tuple[Attendee, ...]:
    if value == "" and where != "present":
        return ()
    if not isinstance(value, list):
        raise InvalidInput(f"{where}: must be a list, one `- {{name: …}}` for each")
    if len(value) > MAX_ATTENDEES:
        raise InvalidInput(f"{where}: more than {MAX_ATTENDEES} people")
    return tuple(_attendee(item, f"{where}, number {n}", known) for n, item in enumerate(value, 1))


def _attendee(value: object, where: str, known: tuple[str, ...]) -> Attendee:
    fields = _mapping(value, where, ("name",), known[1:])
    texts = {
        key: _line(fields[key], f"{where}, {key}") for key in known if key != "items" and fields.get(key, "") != ""
    }
    if "title" in texts:
        texts["role"] = texts.pop("title")
    return Attendee(**texts, paragraphs=_items(fields.get("items", ""), f"{where}, items"))


def _annexes(value: object) -> tuple[NamedAnnex, ...]:
    if value == "":
        return ()
    if not isinstance(value, list):
        raise InvalidInput("annexes: must be a list, one `- {title: …, file: …}` for each")
    if len(value) > MAX_ANNEXES:
        raise InvalidInput(f"annexes: more than {MAX_ANNEXES} files")
    found: list[NamedAnnex] = []
    for number, item in enumerate(value, 1):
        where = f"annexes, number {number}"
        fields = _mapping(item, where, ("title", "file"), ("sha256",))
        texts = {key: _line(text, f"{where}, {key}") for key, text in fields.items() if text != ""}
        texts["sha256"] = texts.get("sha256", "").lower()
        if texts["sha256"] and not _HASH.fullmatch(texts["sha256"]):
            raise InvalidInput(f"{where}, sha256: must be 64 digits of 0-9 and a-f")
        if any(one.title.casefold() == texts["title"].casefold() for one in found):
            raise InvalidInput(f"{where}: {texts['title']} is there twice; each annex has a title of its own")
        found.append(NamedAnnex(**texts))
    return tuple(found)


def _items(value: object, where: str) -> tuple[tuple[int, int], ...]:
    """`3`, `1-3`, `4-` or a list of such, as pairs of the first and the last."""
    if value == "":
        return ()
    spans: list[tuple[int, int]] = []
    for part in value if isinstance(value, list) else [value]:
        found = _ITEMS.fullmatch(part) if isinstance(part, str) else None
        if found is None:
            raise InvalidInput(f"{where}: must be such as 3, 1-3, 4- or [1-3, 5-]: the file's paragraphs, from 1")
        first = int(found[1])
        last = int(found[3]) if found[3] else _TO_THE_END if found[2] else first
        if first < 1 or last < first or (spans and first <= spans[-1][1]):
            raise InvalidInput(f"{where}: must go upwards, from paragraph 1")
        spans.append((first, last))
    return tuple(spans)


def _within(people: tuple[Attendee, ...], where: str, count: int) -> tuple[Attendee, ...]:
    fitted = []
    for number, person in enumerate(people, 1):
        if any(count < last < _TO_THE_END or first > count for first, last in person.paragraphs):
            raise InvalidInput(f"{where}, number {number}, items: the minutes have {count} paragraphs")
        spans = tuple((first, min(last, count)) for first, last in person.paragraphs)
        fitted.append(person.model_copy(update={"paragraphs": () if spans == ((1, count),) else spans}))
    return tuple(fitted)


def _refuse_in_two_places(*lists: tuple[Attendee, ...]) -> None:
    """Within one list two may have one name, party and municipality: older minutes may have it so."""
    there: dict[tuple[str, str, str], str] = {}
    for where, people in zip(("present", "absent", "others"), lists, strict=True):
        here = {(one.name, one.party, one.municipality): number for number, one in reversed([*enumerate(people, 1)])}
        for who, number in here.items():
            if who in there:
                raise InvalidInput(
                    f"{where}, number {number}: {who[0]} is {there[who]} as well",
                    hint="who came late or left stands among the present, with items: 1-3",
                )
        there |= dict.fromkeys(here, where)


def _refuse_serving_for_nobody(present: tuple[Attendee, ...], absent: tuple[Attendee, ...]) -> None:
    """A substitute sits for who is absent, or was not there all the time; not two at once for one."""
    whole = {person.name for person in present if not person.paragraphs}
    away = {person.name for person in (*absent, *present) if person.name not in whole}
    for number, person in enumerate(present, 1):
        if not person.serves_for:
            continue
        where = f"present, number {number}, serves_for"
        if person.serves_for not in away:
            raise InvalidInput(
                f"{where}: {person.serves_for} is not among the absent, nor was there for some items alone",
                hint="write the name as it stands below absent",
            )
        for other in present[: number - 1]:
            if other.serves_for == person.serves_for and _at_once(other, person):
                raise InvalidInput(f"{where}: {other.name} serves for {person.serves_for} already")


def _at_once(one: Attendee, other: Attendee) -> bool:
    always = ((1, _TO_THE_END),)
    return any(
        first <= other_last and other_first <= last
        for first, last in one.paragraphs or always
        for other_first, other_last in other.paragraphs or always
    )


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
