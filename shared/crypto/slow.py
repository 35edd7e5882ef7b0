"""Hashes that are slow on purpose (argon2id), worked off one after the other beside the event loop.

Whoever can make the product hash can make it busy: so one thread of low priority does it, one lane each, and no more
wait in line than it works off in a few seconds. Who finds the line full is told so at once.
"""

import asyncio
import os
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from argon2 import PasswordHasher

from shared.errors import TooMany

T = TypeVar("T")

HASHER = PasswordHasher(parallelism=1)
"""RFC 9106's figures for little memory, in one lane: a hash never takes more than one core."""
_NICE = 5


def _yield_to_others() -> None:
    os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _NICE)


class Line:
    """A bounded line before one thread. `reserved` places are for those who are known: no flood takes them."""

    def __init__(self, places: int = 12, reserved: int = 12) -> None:
        self.places = places
        self.reserved = reserved
        self._waiting = 0
        self._thread = ThreadPoolExecutor(1, "slow-hash", _yield_to_others)

    def check(self, *, known: bool = False) -> None:
        """Refuse at once when there is no place left. Raises TooMany."""
        if self._waiting >= self.places + (self.reserved if known else 0):
            raise TooMany("busy", "同时登录的人太多，请过几秒再试。", 5)

    async def run(self, work: Callable[..., T], *args: object, known: bool = False) -> T:
        """What `work` answers, in its turn. Raises TooMany."""
        self.check(known=known)
        self._waiting += 1
        try:
            return await asyncio.wrap_future(self._thread.submit(work, *args))
        finally:
            self._waiting -= 1


LINE = Line()
"""This process's."""
