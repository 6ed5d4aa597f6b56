"""What every event is: a past-tense fact, a frozen model, versioned in its type.

A type reads `se.justera.<service>.<kebab-name>.v<version>`; a subclass declares its version and topic and is entered in
the registry by that type. Readers are tolerant: unknown fields are ignored, so adding an optional field needs no
new version.
"""

import re
from functools import cache
from typing import ClassVar, Self

from pydantic import BaseModel, ConfigDict, Field

TYPE_PREFIX = "se.justera"
# Kafka's default limit is 1 MiB for a whole record batch: a larger event is a bug of ours, refused at its source.
MAX_EVENT_BYTES = 700_000

_registry: dict[str, type["Event"]] = {}


class Value(BaseModel):
    """A part of an event's body."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class Event(Value):
    """A fact. Subclasses set `service`, `topic` (see `shared.events.topics`) and, when not 1, `schema_version`."""

    service: ClassVar[str] = ""
    topic: ClassVar[str] = ""
    schema_version: ClassVar[int] = 1

    @classmethod
    def __pydantic_init_subclass__(cls, **kwargs: object) -> None:
        super().__pydantic_init_subclass__(**kwargs)
        if cls.__dict__.get("abstract", False):
            return
        if event_type(cls) in _registry:
            raise TypeError(f"two event classes claim the type {event_type(cls)}")
        _registry[event_type(cls)] = cls

    @classmethod
    def from_json(cls, data: bytes | str) -> Self:
        return cls.model_validate_json(data)

    def to_json(self) -> str:
        return self.model_dump_json()


def event_type(event: type[Event] | Event) -> str:
    """The CloudEvents `type`, e.g. `se.justera.signing.signature-requested.v1`."""
    return _type_of(event if isinstance(event, type) else type(event))


@cache
def _type_of(cls: type[Event]) -> str:
    kebab = re.sub(r"(?<!^)(?=[A-Z])", "-", cls.__name__).lower()
    return f"{TYPE_PREFIX}.{cls.service}.{kebab}.v{cls.schema_version}"


def base_type(type_name: str) -> str:
    """A type without its version: tells an unknown version of a known event from a type that is not ours to handle."""
    return re.sub(r"\.v\d+$", "", type_name)


def event_class(type_name: str) -> type[Event] | None:
    return _registry.get(type_name)


def declared_events() -> tuple[type[Event], ...]:
    """Every event that something produces, in the order of declaration."""
    return tuple(_registry.values())


class BlobRef(Value):
    """A document by reference (claim check): the bytes lie in the blob store under their SHA-256."""

    sha256: str = Field(pattern=r"^[0-9a-f]{64}$", description="hexadecimal SHA-256 of the bytes")
    size: int = Field(ge=0, description="bytes")
    media_type: str = "application/octet-stream"


class Person(Value):
    """Who, by address; the name is absent until it is known."""

    email: str
    name: str | None = None
    language: str = "sv"
