"""Passwords: argon2id, hashed in the process's bounded line."""

import asyncio
import os
import secrets
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from shared.crypto.slow import LINE

_LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"


def made_up() -> str:
    """A random password that can be read out over the telephone: 59 bits, no letters that look alike."""
    return "-".join("".join(secrets.choice(_LETTERS) for _ in range(4)) for _ in range(3))


async def hashed(hasher: PasswordHasher, password: str) -> str:
    """The hash to be stored; only somebody who is known asks for one. Raises TooMany."""
    return await LINE.run(hasher.hash, password, known=True)


async def all_hashed(hasher: PasswordHasher, passwords: Iterable[str]) -> list[str]:
    """The hashes of many, on every core: for a start, when nobody stands in the line yet."""
    with ThreadPoolExecutor(os.cpu_count(), "first-hash") as pool:
        work = [asyncio.wrap_future(pool.submit(hasher.hash, password)) for password in passwords]
        return await asyncio.gather(*work)


async def fits(hasher: PasswordHasher, password: str, password_hash: str | None, *, known: bool = False) -> bool:
    """Whether the password is the one; without a hash it takes as long, so that time tells nobody who works here.

    `known`: somebody whose device has signed in before, whom no flood keeps out. Raises TooMany.
    """
    return await LINE.run(_fits, hasher, password, password_hash, known=known)


def outdated(hasher: PasswordHasher, password_hash: str) -> bool:
    """Whether it was made with other figures than today's, and should be replaced when its password comes next."""
    return hasher.check_needs_rehash(password_hash)


def _fits(hasher: PasswordHasher, password: str, password_hash: str | None) -> bool:
    if password_hash is None:
        hasher.hash(password)
        return False
    try:
        return hasher.verify(password_hash, password)
    except (VerificationError, InvalidHashError):
        return False
