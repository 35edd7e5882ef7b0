"""Wrong tries on a real PostgreSQL: five lock a mark alone, by the database's time, and none outruns the lock."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import func, select, update

from services.duty_desk.service import SERVICE
from shared.db import tries
from shared.db.tables import wrong_tries
from shared.runtime.service import Kit, Service


@pytest.fixture
def service() -> Service:
    return SERVICE


async def attempt(kit: Kit[Any], mark: str = "a") -> float:
    async with kit.db.begin() as tx:
        return await tries.claim(tx.conn, mark)


async def age(kit: Kit[Any], by: timedelta) -> None:
    async with kit.db.begin() as tx:
        await tx.conn.execute(update(wrong_tries).values(last_at=func.now() - by))


async def test_five_tries_lock_a_mark_alone_and_no_moved_clock_unlocks_it(kit: Kit[Any]) -> None:
    assert [await attempt(kit) for _ in range(5)] == [0] * 5
    kit.clock.move(timedelta(days=30))  # type: ignore[attr-defined]
    assert 890 < await attempt(kit) <= 900
    assert await attempt(kit, "b") == 0
    await age(kit, tries.LOCK + timedelta(seconds=1))
    assert await attempt(kit) == 0


async def test_a_right_try_forgets_the_wrong_ones(kit: Kit[Any]) -> None:
    for _ in range(3):
        assert [await attempt(kit) for _ in range(4)] == [0] * 4
        async with kit.db.begin() as tx:
            await tries.forget(tx.conn, "a")


async def test_tries_at_the_same_instant_do_not_outrun_the_lock(kit: Kit[Any]) -> None:
    left = await asyncio.gather(*(attempt(kit) for _ in range(12)))
    assert [each == 0 for each in left].count(True) == 5


async def test_what_nobody_tried_for_a_day_is_forgotten(kit: Kit[Any]) -> None:
    await attempt(kit)
    await age(kit, timedelta(days=1, seconds=1))
    await attempt(kit, "b")
    async with kit.db.read() as conn:
        assert list((await conn.execute(select(wrong_tries.c.mark))).scalars()) == ["b"]
