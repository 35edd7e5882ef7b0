"""The court's signature: Ed25519 (RFC 8032), for evidence bundles and the daily heads of the chains."""

import hashlib
import re
from collections.abc import Collection
from typing import Self

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization as form
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey


class KeyFormatError(ValueError):
    """The PEM text holds no Ed25519 key of the kind asked for. The message never repeats the text."""


_BLOCK = re.compile(r"-----BEGIN [A-Z ]+-----.*?-----END [A-Z ]+-----\s*", re.DOTALL)


def blocks(pem: str) -> list[str]:
    """The keys that stand one after another in a PEM text."""
    return _BLOCK.findall(pem)


def _private(pem: str) -> Ed25519PrivateKey:
    try:
        key = form.load_pem_private_key(pem.encode(), password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm):  # TypeError: it is encrypted
        key = None
    if not isinstance(key, Ed25519PrivateKey):
        raise KeyFormatError("not the PEM text of an unencrypted Ed25519 private key")
    return key


def public_keys(pem: str) -> "dict[str, VerifyingKey]":
    """The public keys of a PEM text by their ids: the court's present one and those before. Raises KeyFormatError."""
    keys = [VerifyingKey.from_pem(block) for block in blocks(pem) or [pem]]
    return {key.key_id: key for key in keys}


class VerifyingKey:
    """The public half: checks signatures, anywhere and without the court's systems."""

    def __init__(self, key: Ed25519PublicKey) -> None:
        self._key = key

    @classmethod
    def from_pem(cls, pem: str) -> Self:
        """Read a SubjectPublicKeyInfo PEM. Raises KeyFormatError."""
        try:
            key = form.load_pem_public_key(pem.encode())
        except (ValueError, UnsupportedAlgorithm):
            key = None
        if not isinstance(key, Ed25519PublicKey):
            raise KeyFormatError("not the PEM text of an Ed25519 public key")
        return cls(key)

    def to_pem(self) -> str:
        return self._key.public_bytes(form.Encoding.PEM, form.PublicFormat.SubjectPublicKeyInfo).decode()

    @property
    def key_id(self) -> str:
        """The first 16 hex digits of the SHA-256 of the raw public key."""
        return hashlib.sha256(self._key.public_bytes_raw()).hexdigest()[:16]

    def verify(self, message: bytes, signature: bytes) -> bool:
        """Whether this key's owner signed exactly these bytes."""
        try:
            self._key.verify(signature, message)
        except InvalidSignature:
            return False
        return True


class SigningKey:
    """The private half. It is kept outside the database."""

    def __init__(self, key: Ed25519PrivateKey, former: Collection[VerifyingKey] = ()) -> None:
        self._key = key
        self.keys = {each.key_id: each for each in (self.verifying_key, *former)}
        """The public halves of this key and of those that signed before it, by their ids."""

    @classmethod
    def generate(cls) -> Self:
        return cls(Ed25519PrivateKey.generate())

    @classmethod
    def from_pem(cls, pem: str) -> Self:
        """Read unencrypted PKCS #8 PEM; of several keys the first signs. Raises KeyFormatError."""
        key, *former = [_private(block) for block in blocks(pem) or [pem]]
        return cls(key, [cls(each).verifying_key for each in former])

    def to_pem(self) -> str:
        """Unencrypted PKCS #8: the file that keeps it must be readable by its owner alone."""
        pem = self._key.private_bytes(form.Encoding.PEM, form.PrivateFormat.PKCS8, form.NoEncryption())
        return pem.decode()

    @property
    def known(self) -> frozenset[str]:
        """The ids of this key and of those that signed before it."""
        return frozenset(self.keys)

    @property
    def verifying_key(self) -> VerifyingKey:
        return VerifyingKey(self._key.public_key())

    @property
    def key_id(self) -> str:
        """The id of the public half."""
        return self.verifying_key.key_id

    def sign(self, message: bytes) -> bytes:
        """The 64-byte signature of these bytes."""
        return self._key.sign(message)
