"""The envelope of every event: CloudEvents 1.0 attribute names in JSON, `type` ends in its version.

An event class is a contract. It never changes its meaning; another meaning is another version beside it.
"""

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any, ClassVar, NewType
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from shared.errors import NotYet

Sealed = NewType("Sealed", str)
"""Personal data, encrypted by the key ring about the id of its owner."""

REGISTRY: dict[str, type["Event"]] = {}
Types = Mapping[str, type["Event"]]
"""The event classes that a build knows, by their types."""


class Facts(BaseModel):
    """A part of an event: frozen; what a newer version adds is ignored."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class Event(Facts):
    """A fact that a service tells the others. `about` names the field whose value is the key of the lane."""

    topic: ClassVar[str]
    type: ClassVar[str]
    about: ClassVar[str]

    @classmethod
    def __pydantic_init_subclass__(cls, **_: Any) -> None:
        """Register each concrete event under its type."""
        if "type" in cls.__dict__:
            REGISTRY[cls.type] = cls

    @property
    def key(self) -> str:
        """The aggregate's id: events of one key are handled in order."""
        return str(getattr(self, self.about))


class Envelope(BaseModel):
    """CloudEvents attributes around the data. `sequence` counts the events of one key on one topic from 1."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    specversion: str = "1.0"
    id: UUID
    source: str
    type: str
    subject: str
    time: datetime
    sequence: Annotated[int, Field(ge=1, lt=2**63)]
    court: str
    traceparent: str | None = None
    datacontenttype: str = "application/json"
    data: dict[str, Any]

    def event(self, types: Types = REGISTRY) -> Event | None:
        """The typed event, or None for a type that is not among `types`: this build is older than the teller's."""
        cls = types.get(self.type)
        return None if cls is None else cls.model_validate(self.data)


class UndecodableError(Exception):
    """The bytes are no envelope, or its data is not what its type promises. Never carries the data."""


class UnknownTypeError(NotYet):
    """An event's type is newer than this build: it waits for a process that knows it."""


def encode(envelope: Envelope) -> bytes:
    """The envelope as UTF-8 JSON."""
    return envelope.model_dump_json(exclude_none=True).encode()


def decode(value: bytes, types: Types = REGISTRY) -> tuple[Envelope, Event | None]:
    """The envelope and its event, None of an unknown type. Raises UndecodableError."""
    try:
        envelope = Envelope.model_validate(json.loads(value))
        return envelope, envelope.event(types)
    except ValidationError as error:
        places = sorted({".".join(map(str, fault["loc"])) for fault in error.errors(include_input=False)})
        raise UndecodableError(f"faulty fields: {', '.join(places)}") from None
    except (ValueError, RecursionError):
        raise UndecodableError("not JSON") from None
