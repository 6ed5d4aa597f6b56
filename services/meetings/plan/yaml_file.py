"""A plan in YAML (docs/plan.md) -> what it wants. Pure."""

import re
from collections.abc import Mapping
from datetime import date, time
from typing import Any

from services.meetings.keys import clean_key, key_from
from services.meetings.meeting.meeting import Mode, Occasion, Reserved
from services.meetings.plan.plan import WEEKDAYS, BodyPlan, Following, Hours, Plan, Planned
from services.meetings.register.register import Problems
from services.meetings.register.words import chosen, day_of
from shared.errors import InvalidInput, says
from shared.text import clean_line
from shared.yaml_text import load_plain

_COMMON = ("title", "time", "place", "mode", "weekday", "reserve")
_BODY = (*_COMMON, "meetings", "follows", "days_before", "except")
_MEETING = (*_COMMON, "date", "occasion", "key")
_RESERVE = ("time", "for")
_HOURS = re.compile(r"(\d{1,2})[.:](\d{2}) ?[-–] ?(\d{1,2})[.:](\d{2})")
_SWEDISH_DAYS = ("måndag", "tisdag", "onsdag", "torsdag", "fredag", "lördag", "söndag")
_MODES = {
    "fysiskt": Mode.PHYSICAL,
    "digitalt": Mode.DIGITAL,
    "både och": Mode.HYBRID,
    "hybrid": Mode.HYBRID,
}
_OCCASIONS = {
    "ordinarie": Occasion.ORDINARY,
    "förbundsmöte": Occasion.CONGRESS,
    "årsmöte": Occasion.CONGRESS,
    "konstituerande": Occasion.CONSTITUTING,
    "utbildning": Occasion.TRAINING,
    "påskrift av årsbokslut": Occasion.ANNUAL_ACCOUNTS,
}


def read_plan(text: str, problems: Problems) -> Plan:
    """What is wrong goes to `problems`. Raises InvalidInput for what is no YAML or no plan at all."""
    whole = _fields(load_plain(text, where="plan"), ("plan", "year", "bodies"))
    for name in ("plan", "year", "bodies"):
        if whole.get(name, "") == "":
            raise InvalidInput(
                f"{name}: is missing",
                hint="a plan has the fields plan, year and bodies",
                says=says("missing_of_plan", name),
            )
    _require_text(whole["plan"], "plan")
    year = whole["year"]
    if not (isinstance(year, str) and re.fullmatch(r"(19|20|21)\d\d", year)):
        raise InvalidInput("year: must be a year such as 2023", says=says("year", "year"))
    if not isinstance(whole["bodies"], Mapping):
        raise InvalidInput(
            "bodies: must be entries, each with the body's key: `key: {…}`", says=says("entries", "bodies")
        )
    bodies = []
    for key, given in whole["bodies"].items():
        where = f"bodies, {key[:80]}"
        with problems.at(where):
            bodies.append(_body(clean_key(key), given, where, problems))
    return Plan(clean_key(str(whole["plan"]), "plan"), int(year), tuple(bodies))


def _body(key: str, given: object, where: str, problems: Problems) -> BodyPlan:
    fields = _fields(given, _BODY)
    common = {name: fields[name] for name in _COMMON if name in fields}
    if fields.get("meetings", "") == "" and not fields.get("follows"):
        raise InvalidInput(
            "has neither meetings nor follows",
            hint="list its dates under meetings, or `meetings: []` when it has none this year",
            says=says("no_meetings"),
        )
    listed = fields.get("meetings") or []
    if not isinstance(listed, list):
        raise InvalidInput(
            "meetings: must be a list, one `- {date: …}` for each", says=says("list", "meetings", example="- {date: …}")
        )
    meetings = []
    for number, one in enumerate(listed, 1):
        place = f"{where}, meetings, number {number}"
        with problems.at(place):
            meetings.append(_meeting(common | _fields(one, _MEETING), place))
    following = _following(fields) if fields.get("follows") else None
    pattern = _meeting({**common, "date": "2000-01-01"}, where) if following else None
    return BodyPlan(key, where, tuple(meetings), following, pattern)


def _following(fields: dict[str, Any]) -> Following:
    days = fields.get("days_before", "")
    if not (isinstance(days, str) and re.fullmatch(r"\d{1,3}", days)):
        raise InvalidInput("days_before: must be a whole number of days", says=says("days", "days_before"))
    _require_text(fields["follows"], "follows")
    instead: dict[date, date | None] = {}
    given = fields.get("except") or {}
    if not isinstance(given, Mapping):
        raise InvalidInput(
            "except: must be days, each with another day: `2023-04-27: 2023-04-12`", says=says("except", "except")
        )
    for day, other in given.items():
        instead[day_of(day, "except")] = None if other in ("", "none", "inget") else day_of(str(other), "except")
    return Following(clean_key(str(fields["follows"]), "follows"), int(days), instead)


def _meeting(fields: dict[str, Any], where: str) -> Planned:
    """What is given empty at a meeting takes away what stands at its body."""
    fields = {name: value for name, value in fields.items() if value != ""}
    for name in ("date", "time", "title"):
        if name not in fields:
            raise InvalidInput(f"{name}: is missing", says=says("missing", name))
    for name, value in fields.items():
        if name != "reserve":
            _require_text(value, name)
    day = day_of(str(fields["date"]), "date")
    mode = chosen(str(fields.get("mode", "physical")), Mode, _MODES, "mode")
    place = str(fields.get("place", "Digitalt" if mode is Mode.DIGITAL else ""))
    occasion = chosen(str(fields.get("occasion", "ordinary")), Occasion, _OCCASIONS, "occasion")
    slot = clean_key(str(fields["key"])) if "key" in fields else f"{day}{_mark(occasion)}"
    return Planned(
        slot=slot,
        where=where,
        day=day,
        hours=_hours(fields["time"]),
        title=clean_line(str(fields["title"]), "title"),
        place=clean_line(place, "place"),
        mode=mode,
        occasion=occasion,
        weekday=_weekday(fields["weekday"]) if fields.get("weekday") not in (None, "any") else None,
        reserved=_reserved(fields["reserve"]) if "reserve" in fields else None,
    )


def _mark(occasion: Occasion) -> str:
    return "" if occasion is Occasion.ORDINARY else f"-{key_from(occasion)}"


def _reserved(given: object) -> Reserved:
    fields = _fields(given, _RESERVE)
    if "time" not in fields or "for" not in fields:
        raise InvalidInput("reserve: needs time and for", says=says("reserve", "reserve"))
    _require_text(fields["for"], "for")
    hours = _hours(fields["time"])
    return Reserved(starts=hours.starts, ends=hours.ends, what=clean_line(str(fields["for"]), "reserve"))


def _hours(given: object) -> Hours:
    found = _HOURS.fullmatch(given) if isinstance(given, str) else None
    try:
        if found is None:
            raise ValueError
        first, second, third, fourth = map(int, found.groups())
        return Hours(time(first, second), time(third, fourth))
    except ValueError as error:
        raise InvalidInput("time: must be hours such as 09:00-12:00", says=says("hours", "time")) from error


def _weekday(given: object) -> int:
    plain = str(given).casefold().removesuffix("ar")
    for names in (_SWEDISH_DAYS, tuple(day.casefold() for day in WEEKDAYS)):
        if plain in names:
            return names.index(plain)
    raise InvalidInput(
        f"weekday: {str(given)[:20]!r} is none",
        hint="such as Friday or fredag; any does not ask",
        says=says("weekday", "weekday", given=str(given)[:20]),
    )


def _require_text(given: object, name: str) -> None:
    """Raises InvalidInput."""
    if not isinstance(given, str):
        raise InvalidInput(f"{name}: must be text", says=says("text", name))


def _fields(given: object, known: tuple[str, ...]) -> dict[str, Any]:
    """Raises InvalidInput for unknown names."""
    if not isinstance(given, Mapping):
        raise InvalidInput(f"must be fields, such as {known[0]}: …", says=says("fields", example=known[0]))
    for name in given:
        if name not in known:
            raise InvalidInput(
                f"unknown field {name[:40]!r}",
                hint=f"the fields are {', '.join(known)}",
                says=says("unknown_field", given=name[:40], known=", ".join(known)),
            )
    return dict(given)
