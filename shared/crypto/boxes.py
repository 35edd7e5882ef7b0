"""Sealing for somebody else: whoever has the public half can put in, and only the private half takes out.

HPKE in base mode (RFC 9180: X25519, HKDF-SHA256, AES-256-GCM), as the library has it. The subject goes in as `info`.
"""

import hashlib
from typing import Self

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, Suite
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id

from shared.crypto.sealed import KEY_BYTES, SealError, checked_key, encode, join, key_of, split

_SUITE = Suite(KEM.X25519, KDF.HKDF_SHA256, AEAD.AES_256_GCM)
SALT_BYTES = 16


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


def stretched(secret: str, salt: bytes, length: int = KEY_BYTES) -> bytes:
    """A key from something short that a person types (Argon2id, RFC 9106; 19 MiB, two passes): no guess is cheap."""
    return Argon2id(salt=salt, length=length, iterations=2, lanes=1, memory_cost=19 * 1024).derive(secret.encode())
