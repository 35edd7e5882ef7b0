"""Keyed hashes, to find equal values without opening them (HMAC-SHA256)."""

import hashlib
import hmac
import secrets
from collections.abc import Collection, Mapping
from functools import lru_cache
from typing import Self

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from shared.crypto.sealed import KEY_BYTES, WAITS, KeyRingError, checked_id, checked_key, encode, key_of, new_key_id

UNNAMED = ""
"""The id of the one index key that older releases had; its hashes carry no id."""


class Lookups:
    """Index keys by id, the newest one first. A hash names its key, so that older ones are still found.

    The current one, which hashes, is the newest, or the `leading` one while others may not know the newest yet. Those
    that are `waiting` find, and do not hash: they are handed out first, and lead when every process has them.

    A key may be `bound` to one purpose (`id/purpose`): then it finds nothing else. That is how a process in the
    public zone goes on finding old hashes without the key of all the others.
    """

    def __init__(
        self,
        keys: Mapping[str, bytes],
        bound: Mapping[tuple[str, str], bytes] | None = None,
        leading: str | None = None,
        waiting: Collection[str] = (),
    ) -> None:
        if not set(keys) - set(waiting):
            raise KeyRingError("there is no index key that hashes")
        for key_id in keys:
            if key_id != UNNAMED:
                checked_id(key_id)
        self._keys = {key_id: checked_key(key) for key_id, key in keys.items()}
        self._bound = {name: checked_key(key) for name, key in (bound or {}).items()}
        self._leading = leading if leading in self._keys else None
        self.waiting = frozenset(waiting)

    @classmethod
    def generate(cls) -> Self:
        """One new key."""
        return cls({new_key_id(): secrets.token_bytes(KEY_BYTES)})

    @classmethod
    def from_text(cls, text: str) -> Self:
        """Read what `to_text` wrote. Raises KeyRingError."""
        items = text.strip().split(",")
        pairs = [_pair(item.removeprefix(WAITS)) for item in items]
        waiting = [name for item, (name, _) in zip(items, pairs, strict=True) if item.startswith(WAITS)]
        if len({name for name, _ in pairs}) != len(pairs):
            raise KeyRingError("an index key is named twice")
        keys = {name: key for name, key in pairs if "/" not in name}
        bound = {_bound_name(name): key for name, key in pairs if "/" in name}
        return cls(keys, bound, waiting=waiting)

    def to_text(self) -> str:
        """`ID:BASE64,ID:BASE64,ID/PURPOSE:BASE64`, the newest key first, `+` before one that waits."""
        whole = [f"{key_id}:{encode(key)}" if key_id else encode(key) for key_id, key in self._keys.items()]
        whole = [
            f"{WAITS}{text}" if name in self.waiting else text for name, text in zip(self._keys, whole, strict=True)
        ]
        return ",".join(whole + [f"{key_id}/{purpose}:{encode(key)}" for (key_id, purpose), key in self._bound.items()])

    def with_bound(self, bound: Mapping[tuple[str, str], bytes]) -> Self:
        """The same keys, and others that are bound to a purpose each."""
        return type(self)(self._keys, {**self._bound, **bound}, waiting=self.waiting)

    def led_by(self, key_id: str) -> Self:
        """The same keys, of which this one hashes, if it is one of them."""
        return type(self)(self._keys, self._bound, key_id, self.waiting)

    @property
    def newest(self) -> str:
        """The id of the key that new hashes are made with once everybody has it."""
        return next(key_id for key_id in self._keys if key_id not in self.waiting)

    @property
    def current(self) -> str:
        """The id of the key that new hashes are made with."""
        return self.newest if self._leading is None else self._leading

    def _whole(self) -> dict[str, bytes]:
        """The keys, the current one first."""
        return {self.current: self._keys[self.current], **self._keys}

    def index(self, text: str, purpose: str) -> str:
        """`<key id>.<hash in hex>` under the current key; bring `text` to one form beforehand.

        Each purpose (`phone`, `query code`) has a subkey of its own (HKDF, RFC 5869), so that hashes of different
        columns cannot be compared.
        """
        return _named(self.current, text, _subkey(self._keys[self.current], purpose))

    def indexes(self, text: str, purpose: str) -> tuple[str, ...]:
        """Every hash under which the text may have been stored, the current one first: search for any of them."""
        whole = [_named(key_id, text, _subkey(key, purpose)) for key_id, key in self._whole().items()]
        bound = [_named(key_id, text, key) for (key_id, aim), key in self._bound.items() if aim == purpose]
        return (*whole, *bound)

    def oldest_index(self, text: str, purpose: str) -> str:
        """The hash under the key that everybody has had the longest: all who come to `text` may meet at it."""
        *_, (key_id, key) = self._keys.items()
        return _named(key_id, text, _subkey(key, purpose))

    def rotated(self, *, waits: bool = False) -> Self:
        """A new key in front of the old ones; with `waits` it leads only once it is promoted."""
        new = new_key_id()
        keys = {new: secrets.token_bytes(KEY_BYTES), **self._keys}
        return type(self)(keys, self._bound, waiting={*self.waiting, new} if waits else self.waiting)

    def promoted(self) -> Self:
        """The same keys, and none waits."""
        return type(self)(self._keys, self._bound)

    def become(self, other: "Lookups") -> None:
        """Take over the keys of the other, in place: whoever holds this follows."""
        self._keys, self._bound, self._leading = other._keys, other._bound, other._leading  # noqa: SLF001 - one of us
        self.waiting = other.waiting

    def derived(self, text: str, purpose: str) -> dict[str, bytes]:
        """Keys of a ring that only `text` opens, by the ids of the index keys: what is sealed so needs both."""
        whole = {
            key_id: hmac.digest(_subkey(key, purpose), text.encode(), "sha256") for key_id, key in self._whole().items()
        }
        return {key_id or "unnamed": key for key_id, key in whole.items()}

    def bound_to(self, *purposes: str) -> Mapping[tuple[str, str], bytes]:
        """What opens these purposes alone, of every key."""
        return {(key_id, aim): _subkey(key, aim) for key_id, key in self._keys.items() for aim in purposes}


@lru_cache(maxsize=256)
def _subkey(key: bytes, purpose: str) -> bytes:
    info = b"blind index/" + purpose.encode()
    return HKDF(algorithm=SHA256(), length=KEY_BYTES, salt=None, info=info).derive(key)


def _named(key_id: str, text: str, subkey: bytes) -> str:
    digest = hmac.new(subkey, text.encode(), hashlib.sha256).hexdigest()
    return f"{key_id}.{digest}" if key_id else digest


def _pair(item: str) -> tuple[str, bytes]:
    name, mark, key = item.rpartition(":")
    return (name, key_of(key)) if mark else (UNNAMED, key_of(item))


def _bound_name(name: str) -> tuple[str, str]:
    key_id, _, purpose = name.partition("/")
    return key_id, purpose
