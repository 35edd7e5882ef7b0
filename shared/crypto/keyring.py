"""Personal data at rest: sealed fields (AES-256-GCM, NIST SP 800-38D) and keyed hashes to find them by.

Every sealed text names its key, so keys can change while old texts still open.
"""

import secrets
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol, Self, TypeVar

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from pydantic import BaseModel, ValidationError

from shared.crypto.boxes import Box, Drop
from shared.crypto.lookups import Lookups
from shared.crypto.sealed import (
    KEY_BYTES,
    WAITS,
    KeyRingError,
    SealError,
    checked_id,
    checked_key,
    encode,
    join,
    key_of,
    new_key_id,
    split,
)

NONCE_BYTES = 12
_INDEX = "index:"
_BOX = "box:"

M = TypeVar("M", bound=BaseModel)


class _Opener(Protocol):
    """One key, as far as it opens."""

    def open_raw(self, sealed: bytes, about: str) -> str: ...


class _Cipher:
    """One key of a ring."""

    def __init__(self, key: bytes) -> None:
        self._cipher = AESGCM(key)

    def seal_raw(self, text: str, about: str) -> bytes:
        nonce = secrets.token_bytes(NONCE_BYTES)
        return nonce + self._cipher.encrypt(nonce, text.encode(), about.encode())

    def open_raw(self, sealed: bytes, about: str) -> str:
        try:
            return self._cipher.decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], about.encode()).decode()
        except (ValueError, InvalidTag):
            raise SealError("tampered with, or sealed about another subject") from None


@dataclass(frozen=True)
class Parts:
    """What a ring is made of, the newest keys first. It is never shown.

    `waiting`: the ids of keys and boxes that open, and do not seal yet.
    """

    keys: Mapping[str, bytes] = field(repr=False)
    lookups: Lookups | None = field(repr=False, default=None)
    boxes: tuple[Box, ...] = field(repr=False, default=())
    waiting: frozenset[str] = frozenset()


class KeyRing:
    """Keys by id, the first one for sealing; index keys; and boxes, into which processes without the ring may put.

    `also` are rings that it opens, too, but never seals with.
    """

    def __init__(
        self,
        keys: Mapping[str, bytes],
        lookups: Lookups | None = None,
        boxes: Sequence[Box] = (),
        also: Sequence["KeyRing"] = (),
        waiting: Collection[str] = (),
    ) -> None:
        if not set(keys) - set(waiting):
            raise KeyRingError("there is no key on the ring that seals")
        self._also = tuple(also)
        self.missed: Callable[[], object] | None = None
        """Called when a key is not on the ring: it may have come meanwhile, and `become` may be called."""
        checked = {checked_id(name): checked_key(key) for name, key in keys.items()}
        self.become(Parts(checked, lookups, tuple(boxes), frozenset(waiting)))

    def become(self, parts: Parts) -> None:
        """Take over other keys, in place: whoever holds this ring follows."""
        self.parts = parts
        ciphers = {name: _Cipher(key) for name, key in parts.keys.items()}
        self._sealing = ciphers[self.current]
        self._own: dict[str, _Opener] = {**{box.key_id: box for box in parts.boxes}, **ciphers}

    @property
    def openers(self) -> dict[str, _Opener]:
        """What opens, by key id."""
        found: dict[str, _Opener] = {}
        for ring in self._also:
            found |= ring.openers
        return found | self._own

    @classmethod
    def generate(cls) -> Self:
        """A new ring: one random key, one index key, one box."""
        keys = {new_key_id(): secrets.token_bytes(KEY_BYTES)}
        return cls(keys, Lookups.generate(), [Box.generate()])

    @classmethod
    def from_text(cls, text: str) -> Self:
        """Read what `to_text` wrote. Raises KeyRingError."""
        listed, *parts = text.strip().split(";")
        pairs = [item.removeprefix(WAITS).partition(":") for item in listed.split(",")]
        waiting = [item[1:].partition(":")[0] for item in listed.split(",") if item.startswith(WAITS)]
        keys = {key_id: key_of(encoded) for key_id, _, encoded in pairs}
        if len(keys) != len(pairs):
            raise KeyRingError("a key ring reads: ID:BASE64,ID:BASE64;index:ID:BASE64;box:BASE64, each id once")
        index = [part.removeprefix(_INDEX) for part in parts if part.startswith(_INDEX)]
        boxes = [part.removeprefix(_BOX) for part in parts if part.startswith(_BOX)]
        if len(index) + len(boxes) != len(parts) or len(index) > 1 or len(boxes) > 1:
            raise KeyRingError("a key ring has at most one part with index keys and one with boxes")
        texts = [each for part in boxes for each in part.split(",")]
        opened = [Box.from_text(each.removeprefix(WAITS)) for each in texts]
        waiting += [box.key_id for each, box in zip(texts, opened, strict=True) if each.startswith(WAITS)]
        return cls(keys, Lookups.from_text(index[0]) if index else None, opened, waiting=waiting)

    def to_text(self) -> str:
        """One line for a file or a variable: `ID:BASE64,ID:BASE64;index:ID:BASE64;box:BASE64`, the newest ones first.

        BASE64 is the URL-safe alphabet without padding. `+` stands before what is handed out, and does not lead yet.
        """
        parts = [",".join(f"{self._mark(name)}{name}:{encode(key)}" for name, key in self.parts.keys.items())]
        if self.parts.lookups is not None:
            parts.append(_INDEX + self.parts.lookups.to_text())
        if self.parts.boxes:
            parts.append(_BOX + ",".join(f"{self._mark(box.key_id)}{box.to_text()}" for box in self.parts.boxes))
        return ";".join(parts)

    def _mark(self, name: str) -> str:
        return WAITS if name in self.parts.waiting else ""

    def with_also(self, *others: "KeyRing") -> "KeyRing":
        """The same ring, which opens what was sealed with those of the others, too."""
        return KeyRing(self.parts.keys, self.parts.lookups, self.parts.boxes, others, self.parts.waiting)

    def rotated(self, *, index: bool, waits: bool = False) -> "KeyRing":
        """A new key, a new box and, if asked, a new index key, each in front of the old ones.

        With `waits` they lead only once they are promoted.
        """
        new, box = new_key_id(), Box.generate()
        keys = {new: secrets.token_bytes(KEY_BYTES), **self.parts.keys}
        lookups = self.parts.lookups.rotated(waits=waits) if index and self.parts.lookups else self.parts.lookups
        waiting = {*self.parts.waiting, new, box.key_id} if waits else self.parts.waiting
        return KeyRing(keys, lookups, [box, *self.parts.boxes] if self.parts.boxes else [], waiting=waiting)

    def promoted(self) -> "KeyRing":
        """The same keys, and none waits."""
        lookups = self.parts.lookups.promoted() if self.parts.lookups else None
        return KeyRing(self.parts.keys, lookups, self.parts.boxes)

    def taking_over(self, old: "KeyRing") -> "KeyRing":
        """The same ring, which opens and finds what the old one sealed and hashed; it hashes with the old one's key."""
        keys, boxes = {**self.parts.keys, **old.parts.keys}, (*self.parts.boxes, *old.parts.boxes)
        return KeyRing(keys, old.parts.lookups or self.parts.lookups, boxes)

    @property
    def current(self) -> str:
        """The id of the key that new texts are sealed with."""
        return next(name for name in self.parts.keys if name not in self.parts.waiting)

    @property
    def oldest(self) -> "KeyRing":
        """A ring of the oldest key alone."""
        *_, (key_id, key) = self.parts.keys.items()
        return KeyRing({key_id: key})

    @property
    def lookups(self) -> Lookups:
        """The index keys. Raises KeyRingError when the ring has none."""
        if self.parts.lookups is None:
            raise KeyRingError("the ring has no index key")
        return self.parts.lookups

    @property
    def drop(self) -> Drop:
        """The public half of the current box. Raises KeyRingError when the ring has none."""
        for box in self.parts.boxes:
            if box.key_id not in self.parts.waiting:
                return box.drop
        raise KeyRingError("the ring has no box")

    def seal(self, text: str, about: str) -> str:
        """`<key id>.<base64url(nonce + ciphertext)>`, bound to `about`.

        `about` is whom and which field it concerns (`<party id>/phone`): it opens only under the same words.
        """
        return join(self.current, self._sealing.seal_raw(text, about))

    def open(self, sealed: str, about: str) -> str:
        """The text that was sealed about the same subject, by this ring or put into its box. Raises SealError."""
        key_id, raw = split(sealed)
        opener = self._opener(key_id)
        if opener is None and self.missed is not None:
            self.missed()
            opener = self._opener(key_id)
        if opener is None:
            raise SealError("sealed with a key that is not on this ring")
        return opener.open_raw(raw, about)

    def _opener(self, key_id: str) -> _Opener | None:
        return self._own.get(key_id) or self.openers.get(key_id)

    def seal_model(self, model: BaseModel, about: str) -> str:
        """Seal a model's JSON, as `seal`."""
        return self.seal(model.model_dump_json(), about)

    def open_model(self, cls: type[M], sealed: str, about: str) -> M:
        """The model that was sealed. Raises SealError, also when the content is no `cls`."""
        text = self.open(sealed, about)
        try:
            return cls.model_validate_json(text)
        except ValidationError:  # its message would quote personal data
            raise SealError(f"opened, but it is no {cls.__name__}") from None

    def hand_over(self, sealed: str, about: str, to: "KeyRing") -> str:
        """The same text under the current key of another ring. Raises SealError."""
        return to.seal(self.open(sealed, about), about)

    def taken_in(self, sealed: str, about: str) -> str:
        """The same text under the current key; what does not open stays as it is, for whoever finds the key."""
        try:
            return self.hand_over(sealed, about, self)
        except SealError:
            return sealed

    def blind_index(self, text: str, purpose: str) -> str:
        """The keyed hash of the text under the current index key, as `Lookups.index`."""
        return self.lookups.index(text, purpose)

    def blind_indexes(self, text: str, purpose: str) -> tuple[str, ...]:
        """Every hash under which the text may have been stored, as `Lookups.indexes`."""
        return self.lookups.indexes(text, purpose)
