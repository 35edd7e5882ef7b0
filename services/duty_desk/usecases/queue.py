"""What the desk sees: the queue as it is and as it changes, one item, what was closed lately."""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import Row
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection

from services.duty_desk import store
from services.duty_desk.settings import DeskKit
from services.duty_desk.store import Closed
from shared.db.lists import Part
from shared.db.transaction import Transaction
from shared.errors import NotFound

log = logging.getLogger(__name__)

MOST = 500
"""So many items of the queue are read; beyond that only their number."""
_SIGNAL = "desk"
_PAUSE = 0.4
_HEARTBEAT = 1.0
_LIFE = 600.0


async def changed(tx: Transaction) -> None:
    """The queue is another one: whoever watches looks again. The last statement of its transaction."""
    await store.changed(tx.conn)
    tx.wake(_SIGNAL)


def no_such_item() -> NotFound:
    """The desk has no such item."""
    return NotFound("no_such_item", "值班台没有这个事项，请刷新后查看。")


async def read_item(kit: DeskKit, item_id: UUID) -> tuple[Row[Any], bool]:
    """An item, and whether the case that its sender named is on record here. Raises NotFound."""
    async with kit.db.read() as conn:
        row = await store.get_item(conn, item_id)
        if row is None:
            raise no_such_item()
        claimed = row.claimed_case_number
        return row, bool(claimed) and await store.find_case(conn, claimed) is not None


async def read_closed(kit: DeskKit, wanted: Closed, part: Part) -> tuple[list[Row[Any]], str | None]:
    """What was done, newest first unless asked otherwise, and where the list goes on."""
    async with kit.db.read() as conn:
        return await store.closed_items(conn, wanted, part)


@dataclass(frozen=True)
class Sight:
    """The open items at one moment: the first of them by time left to act, and how many under each clock."""

    revision: int
    items: list[Row[Any]]
    counts: list[Row[Any]]

    @property
    def total(self) -> int:
        """Every open item."""
        return sum(row.open for row in self.counts)


async def look(kit: DeskKit) -> Sight:
    """The queue as it is now."""
    async with kit.db.read() as conn:
        return await _sight(kit, conn, await store.revision(conn))


async def _glance(kit: DeskKit, seen: int | None) -> Sight | None:
    async with kit.db.read() as conn:
        revision = await store.revision(conn)
        return None if revision == seen else await _sight(kit, conn, revision)


async def _sight(kit: DeskKit, conn: AsyncConnection, revision: int) -> Sight:
    return Sight(revision, await store.queue(conn, MOST), await store.count_open(conn, kit.clock.now()))


async def watch(
    kit: DeskKit, ending: asyncio.Event, stands: Callable[[], Awaitable[bool]]
) -> AsyncIterator[Sight | None]:
    """The queue at once and after every change; None about every second in between, as a sign of life.

    It falls silent while the database is away. It ends with the process, after ten minutes, and before anything is
    said to somebody who may no longer watch: `stands` is asked each time.
    """
    clock = asyncio.get_running_loop().time
    begun = said = clock()
    seen: int | None = None
    while clock() - begun < _LIFE and not ending.is_set():
        try:
            sight = await _glance(kit, seen)
            due = sight is not None or clock() - said >= _HEARTBEAT
            if due and not await stands():
                return
        except (SQLAlchemyError, OSError) as error:
            log.warning("the desk cannot read its queue", extra={"error": type(error).__name__})
            await asyncio.sleep(_HEARTBEAT)
            continue
        if due:
            seen = sight.revision if sight else seen
            said = clock()
            yield sight
        await kit.signals.wait(_SIGNAL, _PAUSE)
