"""The fields of a scenario as its writer gave them: text, lists and fields, each refused in words that name it."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from shared.errors import InvalidInput
from shared.text_file import read_text


def mapping(value: Any, where: str) -> dict[str, Any]:
    """Raises InvalidInput, as all here do."""
    if not isinstance(value, dict):
        raise InvalidInput(f"{where}: needs fields" if value else f"{where} is missing")
    return value


def known(fields: Mapping[str, Any], names: Iterable[str], where: str = "") -> None:
    unknown = [str(name) for name in fields if name not in names]
    if unknown:
        prefix = f"{where}: " if where else ""
        raise InvalidInput(f"{prefix}unknown field {printable(unknown[0])}; known are {', '.join(names)}")


def text_of(fields: Mapping[str, Any], name: str, where: str = "") -> str:
    prefix = f"{where}: " if where else ""
    if name not in fields:
        raise InvalidInput(f"{prefix}{name} is missing")
    value = fields[name]
    if not isinstance(value, str) or not value:
        raise InvalidInput(f"{prefix}{name} needs a text")
    return value


def moment(value: Any, name: str = "at") -> datetime:
    """UTC; one without a zone is taken as that."""
    if not isinstance(value, str):
        raise InvalidInput(f"{name} is missing")
    try:
        found = datetime.fromisoformat(value)
    except ValueError as error:
        raise InvalidInput(f"{name}: {printable(value)} is no time like 2022-09-26T08:41:44Z") from error
    return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)


def read_file(path: Path, limit: int) -> str:
    return read_text(read_bytes(path, limit), path.name)


def read_bytes(path: Path, limit: int) -> bytes:
    try:
        with path.open("rb") as file:
            data = file.read(limit + 1)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "not a file name"
        raise InvalidInput(f"{path.name}: cannot be read: {reason}") from error
    if len(data) > limit:
        raise InvalidInput(f"{path.name}: larger than {limit} bytes")
    return data


def printable(given: str, longest: int = 80) -> str:
    shown = "".join(char if char.isprintable() else "�" for char in given)
    return shown if len(shown) <= longest else shown[: longest - 1] + "…"


def one_line(given: str) -> str:
    return " ".join("".join(char if char.isprintable() else " " for char in given).split())
