"""Sealing for somebody else: whoever has the public half can put in, and only the private half takes out.

HPKE in base mode (RFC 9180: X25519, HKDF-SHA256, AES-256-GCM), as the library has it. The subject goes in as `info`.
"""

import hashlib
import secrets
from dataclasses import dataclass
from typing import Self

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, Suite
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id

from shared.crypto.sealed import KEY_BYTES, SealError, checked_key, decode, encode, join, key_of, split

_SUITE = Suite(KEM.X25519, KDF.HKDF_SHA256, AEAD.AES_256_GCM)
SALT_BYTES = 16
_NONCE_BYTES = 12


class Drop:
    """The public half: seals what this process itself cannot open again."""

    def __init__(self, key: X25519PublicKey) -> None:
        self._key = key

    @classmethod
    def from_text(cls, text: str) -> Self:
        """Read what `to_text` wrote. Raises KeyRingError."""
        return cls(X25519PublicKey.from_public_bytes(checked_key(key_of(text.strip()))))

    def to_text(self) -> str:
        """The key in URL-safe Base64."""
        return encode(self._key.public_bytes_raw())

    @property
    def key_id(self) -> str:
        """`box-` and the first 16 hex digits of the SHA-256 of the public key."""
        return f"box-{hashlib.sha256(self._key.public_bytes_raw()).hexdigest()[:16]}"

    def seal(self, text: str, about: str) -> str:
        """`<key id>.<base64url>`, bound to `about`: it opens only under the same words."""
        return join(self.key_id, _SUITE.encrypt(text.encode(), self._key, about.encode()))


class Box:
    """The private half: opens what was put in."""

    def __init__(self, key: X25519PrivateKey) -> None:
        self._key = key
        self.drop = Drop(key.public_key())

    @classmethod
    def generate(cls) -> Self:
        """A new pair."""
        return cls(X25519PrivateKey.generate())

    @classmethod
    def from_text(cls, text: str) -> Self:
        """Read what `to_text` wrote. Raises KeyRingError."""
        return cls(X25519PrivateKey.from_private_bytes(checked_key(key_of(text.strip()))))

    def to_text(self) -> str:
        """The private key in URL-safe Base64."""
        return encode(self._key.private_bytes_raw())

    @property
    def key_id(self) -> str:
        """The id of the pair."""
        return self.drop.key_id

    def open_raw(self, sealed: bytes, about: str) -> str:
        """The text. Raises SealError."""
        try:
            return _SUITE.decrypt(sealed, self._key, about.encode()).decode()
        except (InvalidTag, ValueError):
            raise SealError("tampered with, or sealed about another subject") from None

    def open(self, sealed: str, about: str) -> str:
        """The text that was put in about the same subject. Raises SealError."""
        key_id, raw = split(sealed)
        if key_id != self.key_id:
            raise SealError("sealed with another key")
        return self.open_raw(raw, about)


@dataclass(frozen=True)
class Effort:
    """What a guess costs: passes over so much memory (KiB)."""

    passes: int
    memory: int


USUAL = Effort(2, 19 * 1024)


def stretched(secret: str, salt: bytes, length: int = KEY_BYTES, effort: Effort = USUAL) -> bytes:
    """A key from something short that a person types (Argon2id, RFC 9106): no guess is cheap."""
    derived = Argon2id(salt=salt, length=length, iterations=effort.passes, lanes=1, memory_cost=effort.memory)
    return derived.derive(secret.encode())


def locked(box: Box, key: bytes, about: str) -> str:
    """The private half, sealed under a key that nobody keeps."""
    nonce = secrets.token_bytes(_NONCE_BYTES)
    return encode(nonce + AESGCM(key).encrypt(nonce, box.to_text().encode(), about.encode()))


def unlocked(sealed: str, key: bytes, about: str) -> Box:
    """The pair whose private half was locked. Raises SealError for another key."""
    try:
        raw = decode(sealed)
        opened = AESGCM(key).decrypt(raw[:_NONCE_BYTES], raw[_NONCE_BYTES:], about.encode())
        return Box.from_text(opened.decode())
    except (InvalidTag, ValueError):
        raise SealError("locked with another key, or about another subject") from None
