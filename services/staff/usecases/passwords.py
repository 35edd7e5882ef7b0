"""Passwords: argon2id with the library's own figures (RFC 9106), hashed in a thread."""

import asyncio
import secrets

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

_HASHER = PasswordHasher()
_LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"


def made_up() -> str:
    """A random password that can be read out over the telephone: 59 bits, no letters that look alike."""
    return "-".join("".join(secrets.choice(_LETTERS) for _ in range(4)) for _ in range(3))


async def hashed(password: str) -> str:
    """The hash to be stored."""
    return await asyncio.to_thread(_HASHER.hash, password)


async def fits(password: str, password_hash: str | None) -> bool:
    """Whether the password is the one; without a hash it takes as long, so that time tells nobody who works here."""
    return await asyncio.to_thread(_fits, password, password_hash)


def _fits(password: str, password_hash: str | None) -> bool:
    if password_hash is None:
        _HASHER.hash(password)
        return False
    try:
        return _HASHER.verify(password_hash, password)
    except (VerificationError, InvalidHashError):
        return False
