"""Personal data at rest: sealed fields (AES-256-GCM, NIST SP 800-38D) and keyed hashes to find them by.

Every sealed text names its key, so keys can change while old texts still open.
"""

import base64
import hashlib
import hmac
import re
import secrets
from collections.abc import Mapping
from typing import Self, TypeVar

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from pydantic import BaseModel, ValidationError

KEY_BYTES = 32
NONCE_BYTES = 12
_KEY_ID = re.compile(r"[a-z0-9][a-z0-9_-]{0,31}")

M = TypeVar("M", bound=BaseModel)


class SealError(Exception):
    """The sealed text cannot be opened: unknown key, tampered, of another subject, or not what was asked for."""


class KeyRingError(ValueError):
    """No key ring can be made of this. The message never repeats key material."""


class KeyRing:
    """Keys by id, the current one for sealing; plus one index key, which never changes while rows carry hashes."""

    def __init__(self, keys: Mapping[str, bytes], current: str, index_key: bytes) -> None:
        if current not in keys:
            raise KeyRingError("the current key is not among the keys")
        if not all(_KEY_ID.fullmatch(key_id) for key_id in keys):
            raise KeyRingError("a key id is 1 to 32 of a-z, 0-9, _ and -, and begins with a letter or digit")
        if any(len(key) != KEY_BYTES for key in (*keys.values(), index_key)):
            raise KeyRingError(f"every key is {KEY_BYTES} bytes long")
        self._keys = dict(keys)
        self._ciphers = {key_id: AESGCM(key) for key_id, key in keys.items()}
        self._current = current
        self._index_key = index_key

    @classmethod
    def generate(cls) -> Self:
        """A new ring with one random key, `k1`."""
        return cls({"k1": secrets.token_bytes(KEY_BYTES)}, "k1", secrets.token_bytes(KEY_BYTES))

    @classmethod
    def from_text(cls, text: str) -> Self:
        """Read what `to_text` wrote. Raises KeyRingError."""
        listed, mark, index = text.strip().rpartition(";index:")
        pairs = [item.partition(":") for item in listed.split(",")]
        keys = {key_id: _key(encoded) for key_id, _, encoded in pairs}
        if not mark or len(keys) != len(pairs):
            raise KeyRingError("a key ring reads: k2:BASE64,k1:BASE64;index:BASE64, each id once")
        return cls(keys, pairs[0][0], _key(index))

    def to_text(self) -> str:
        """One line for a file or a variable: `k2:BASE64,k1:BASE64;index:BASE64`, the current key first.

        BASE64 is the URL-safe alphabet without padding. To change keys, put a new one in front.
        """
        ids = [self._current, *(key_id for key_id in self._keys if key_id != self._current)]
        listed = ",".join(f"{key_id}:{_encode(self._keys[key_id])}" for key_id in ids)
        return f"{listed};index:{_encode(self._index_key)}"

    def seal(self, text: str, about: str) -> str:
        """`<key id>.<base64url(nonce + ciphertext)>`, bound to `about`.

        `about` is whom and which field it concerns (`<party id>/phone`): it opens only under the same words.
        """
        nonce = secrets.token_bytes(NONCE_BYTES)
        sealed = self._ciphers[self._current].encrypt(nonce, text.encode(), about.encode())
        return f"{self._current}.{_encode(nonce + sealed)}"

    def open(self, sealed: str, about: str) -> str:
        """The text that was sealed about the same subject. Raises SealError."""
        key_id, _, encoded = sealed.partition(".")
        cipher = self._ciphers.get(key_id)
        if cipher is None:
            raise SealError("sealed with a key that is not on this ring")
        try:
            raw = _decode(encoded)
            return cipher.decrypt(raw[:NONCE_BYTES], raw[NONCE_BYTES:], about.encode()).decode()
        except (ValueError, InvalidTag):
            raise SealError("tampered with, or sealed about another subject") from None

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

    def blind_index(self, text: str, purpose: str) -> str:
        """HMAC-SHA256 in hex, to find equal values without opening them; bring `text` to one form beforehand.

        Each purpose (`phone`, `id_number`) has its own subkey (HKDF, RFC 5869), so hashes of different columns
        cannot be compared.
        """
        hkdf = HKDF(algorithm=SHA256(), length=KEY_BYTES, salt=None, info=b"blind index/" + purpose.encode())
        return hmac.new(hkdf.derive(self._index_key), text.encode(), hashlib.sha256).hexdigest()


def _encode(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def _decode(text: str) -> bytes:
    """Strict: exactly one text stands for some bytes. Raises ValueError."""
    raw = base64.urlsafe_b64decode(text.encode("ascii") + b"=" * (-len(text) % 4))
    if _encode(raw) != text:
        raise ValueError("not base64url without padding")
    return raw


def _key(text: str) -> bytes:
    try:
        return _decode(text)
    except ValueError:
        raise KeyRingError("a key is not written in base64url without padding") from None
