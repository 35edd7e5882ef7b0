"""The product's clock is moved: never behind the machine's, and every process follows by an event."""

import math
from datetime import datetime, timedelta

from services.sandbox import store
from services.sandbox.usecases.world import SandboxKit
from shared.clock import SystemClock
from shared.contracts.sandbox import ClockMoved
from shared.errors import Fault, Invalid

MOST = timedelta(days=3660)


async def move_by(kit: SandboxKit, by: timedelta) -> datetime:
    """Move the clock on from where it stands; the product's new instant. Raises Invalid."""
    return await _move(kit, by, timedelta(0), "days")


async def set_now(kit: SandboxKit, instant: datetime) -> datetime:
    """Set the clock; the product's new instant. Raises Invalid."""
    return await _move(kit, None, instant - SystemClock().now(), "now")


async def reset(kit: SandboxKit) -> datetime:
    """Back to the machine's time."""
    return await _move(kit, None, timedelta(0), "reset")


async def now(kit: SandboxKit) -> datetime:
    """The product's instant as the sandbox has set it."""
    async with kit.db.read() as conn:
        return SystemClock().now() + timedelta(seconds=await store.clock_offset(conn))


async def _move(kit: SandboxKit, by: timedelta | None, to: timedelta, field: str) -> datetime:
    async with kit.db.begin() as tx:
        standing = timedelta(seconds=await store.clock_offset(tx.conn, lock=True))
        offset = _checked(to if by is None else standing + by, field)
        await store.set_clock_offset(tx.conn, offset)
        await tx.emit(ClockMoved(offset_seconds=offset))
    return SystemClock().now() + timedelta(seconds=offset)


def _checked(offset: timedelta, field: str) -> int:
    if offset < timedelta(0):
        raise Invalid([Fault(field, "时钟不能早于真实时间。要回到真实时间，请用 reset。")])
    if offset > MOST:
        raise Invalid([Fault(field, f"时钟最多比真实时间快{MOST.days}天。")])
    return math.ceil(offset.total_seconds())
