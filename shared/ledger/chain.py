"""An append-only hash chain, pure: each entry carries the digest of the one before it.

Digests are SHA-256 in hex. An entry's digest covers its canonical header (RFC 8785), which holds the SHA-256 of
the body's canonical text; so whoever has the stored text can check it byte for byte, without this software.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, NamedTuple

_LARGEST = 2**53 - 1  # beyond it JSON readers round (RFC 8785, I-JSON)


class BodyError(ValueError):
    """A body holds something that has no canonical text: a float, a date, a huge integer, a key that is no text."""


class Break(StrEnum):
    """What is wrong with a chain, in words for people."""

    OTHER_CHAIN = "混入了其他案件的记录"
    MISSING = "此处缺少记录，或记录的顺序被调换"
    UNLINKED = "与前一条记录不相衔接，前一条记录可能被替换"
    ALTERED = "记录的内容被改动"
    OTHER_HEAD = "链的末尾与登记的链头不符，末尾的记录可能被删除或添加"


class BrokenAt(NamedTuple):
    """The first position at which a chain does not hold, and why."""

    position: int
    why: Break


@dataclass(frozen=True, slots=True)
class Head:
    """How far a chain reaches: the position and digest of its last entry. All that the next entry needs."""

    chain_id: str
    position: int
    digest: str


@dataclass(frozen=True, slots=True)
class Entry:
    """One link. `at` is a UTC instant; `text` is the body's canonical JSON, exactly as it was hashed."""

    chain_id: str
    position: int
    at: datetime
    kind: str
    text: str
    previous: str
    digest: str

    @property
    def body(self) -> Mapping[str, Any]:
        """The body, read anew from its text: changing it changes no entry."""
        body: dict[str, Any] = json.loads(self.text)
        return body

    @property
    def head(self) -> Head:
        """The chain's head as long as this is its last entry."""
        return Head(self.chain_id, self.position, self.digest)


def canonical(body: Mapping[str, Any]) -> bytes:
    """The one JSON text of `body` (RFC 8785 without floats): sorted keys, no spaces, UTF-8. Raises BodyError."""
    text = json.dumps(_ordered(body), ensure_ascii=False, separators=(",", ":"))
    try:
        return text.encode()
    except UnicodeEncodeError:
        raise BodyError("a text holds half a character (a lone surrogate)") from None


def genesis(chain_id: str) -> Head:
    """The head of a chain before its first entry, which has position 1: the SHA-256 of the chain's id."""
    return Head(chain_id, 0, hashlib.sha256(chain_id.encode()).hexdigest())


def link(head: Head, at: datetime, kind: str, body: Mapping[str, Any]) -> Entry:
    """The entry that follows `head`. `at` is aware. Raises BodyError, and ValueError for a naive instant."""
    if at.utcoffset() is None:
        raise ValueError("an entry's instant needs its time zone")
    entry = Entry(
        chain_id=head.chain_id,
        position=head.position + 1,
        at=at.astimezone(UTC),
        kind=kind,
        text=canonical(body).decode(),
        previous=head.digest,
        digest="",
    )
    return replace(entry, digest=_digest(entry))


def verify(entries: Iterable[Entry], since: Head, until: Head | None = None) -> BrokenAt | None:
    """The first fault of the entries that follow `since` (`genesis(chain_id)` for a whole chain), or None.

    A cut tail leaves no trace in the entries themselves: only `until`, a head known from elsewhere, shows it.
    """
    head = since
    for entry in entries:
        why = _fault(head, entry)
        if why is not None:
            return BrokenAt(head.position + 1, why)
        head = entry.head
    if until is None or head == until:
        return None
    agreed = min(head.position, until.position)
    return BrokenAt(agreed if head.position == until.position else agreed + 1, Break.OTHER_HEAD)


def _fault(head: Head, entry: Entry) -> Break | None:
    if entry.chain_id != head.chain_id:
        return Break.OTHER_CHAIN
    if entry.position != head.position + 1:
        return Break.MISSING
    if not _intact(entry):
        return Break.ALTERED
    return None if entry.previous == head.digest else Break.UNLINKED


def _intact(entry: Entry) -> bool:
    try:
        return entry.digest == _digest(entry)
    except ValueError:  # text that no link could have hashed
        return False


def _digest(entry: Entry) -> str:
    header = {
        "at": entry.at.isoformat(timespec="microseconds"),
        "body_sha256": hashlib.sha256(entry.text.encode()).hexdigest(),
        "chain_id": entry.chain_id,
        "kind": entry.kind,
        "position": entry.position,
        "previous": entry.previous,
    }
    return hashlib.sha256(canonical(header)).hexdigest()


def _ordered(value: object) -> object:
    """`value` with its keys in RFC 8785's order (by UTF-16 units), refusing what has no canonical form."""
    if value is None or isinstance(value, str | bool):
        return value
    if isinstance(value, int) and abs(value) <= _LARGEST:
        return value
    if isinstance(value, list | tuple):
        return [_ordered(item) for item in value]
    if isinstance(value, Mapping) and all(isinstance(key, str) for key in value):
        keys = sorted(value, key=lambda key: key.encode("utf-16-be", "surrogatepass"))
        return {key: _ordered(value[key]) for key in keys}
    raise BodyError(f"{type(value).__name__} cannot stand in a ledger; write it as text")
