"""How a sealed text is written: the id of the key that opens it, a dot, and the bytes in URL-safe Base64."""

import base64
import re
import secrets

KEY_BYTES = 32
WAITS = "+"
"""Before a key that is handed out already, and does not lead yet."""
_KEY_ID = re.compile(r"[a-z0-9][a-z0-9_-]{0,31}")


class SealError(Exception):
    """The sealed text cannot be opened: unknown key, tampered, of another subject, or not what was asked for."""


class KeyRingError(ValueError):
    """No keys can be read from this. The message never repeats key material."""


def new_key_id() -> str:
    """A random name for a new key: two keys never share one, wherever they were made."""
    return secrets.token_hex(6)


def checked_id(key_id: str) -> str:
    """The key id. Raises KeyRingError."""
    if not _KEY_ID.fullmatch(key_id):
        raise KeyRingError("a key id is 1 to 32 of a-z, 0-9, _ and -, and begins with a letter or digit")
    return key_id


def checked_key(key: bytes) -> bytes:
    """The key's bytes. Raises KeyRingError."""
    if len(key) != KEY_BYTES:
        raise KeyRingError(f"every key is {KEY_BYTES} bytes long")
    return key


def join(key_id: str, sealed: bytes) -> str:
    """The sealed text."""
    return f"{key_id}.{encode(sealed)}"


def split(text: str) -> tuple[str, bytes]:
    """Key id and bytes of a sealed text. Raises SealError."""
    key_id, _, encoded = text.partition(".")
    try:
        return key_id, decode(encoded)
    except ValueError:
        raise SealError("tampered with: not written as a sealed text") from None


def encode(raw: bytes) -> str:
    """URL-safe Base64 without padding."""
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def decode(text: str) -> bytes:
    """Strict: exactly one text stands for some bytes. Raises ValueError."""
    raw = base64.urlsafe_b64decode(text.encode("ascii") + b"=" * (-len(text) % 4))
    if encode(raw) != text:
        raise ValueError("not base64url without padding")
    return raw


def key_of(text: str) -> bytes:
    """The key that a file or a variable spells. Raises KeyRingError."""
    try:
        return decode(text)
    except ValueError:
        raise KeyRingError("a key is not written in base64url without padding") from None
