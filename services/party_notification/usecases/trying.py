"""Tries of a query code or a notice's number count together, at whichever page they are made.

Each is counted before its secret is looked at. A right answer at the party's door forgets the wrong ones; one at a page
that asks for less takes back its own try alone, or the easier secret would buy more tries at the harder one.
"""

import math
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from services.party_notification.usecases.facts import NotificationKit
from shared.db import tries
from shared.errors import TooMany, Unavailable


@dataclass(frozen=True)
class Lock:
    """How a page tells of a lock, and whether it asks for all that opens the party's door."""

    code: str
    text: str
    whole: bool = False


@asynccontextmanager
async def trying(kit: NotificationKit, reference: str, lock: Lock) -> AsyncIterator[None]:
    """One try: wrong when the block refuses what was given, right when it ends.

    A block that cannot look now raises TooMany or Unavailable, and has tried nothing. Raises TooMany while
    five were wrong.
    """
    mark = kit.lookups.index(reference, "tried")
    async with kit.db.begin() as tx:
        left = await tries.claim(tx.conn, mark)
    if left:
        raise TooMany(lock.code, lock.text, math.ceil(left))
    try:
        yield
    except (TooMany, Unavailable):
        await _take_back(kit, mark)
        raise
    if lock.whole:
        async with kit.db.begin() as tx:
            await tries.forget(tx.conn, mark)
    else:
        await _take_back(kit, mark)


async def _take_back(kit: NotificationKit, mark: str) -> None:
    async with kit.db.begin() as tx:
        await tries.take_back(tx.conn, mark)
