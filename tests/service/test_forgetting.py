"""What the hourly job forgets, and that a repetition is refused all the same."""

import uuid
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Column, Table, func, select, update

from shared.bus.lanes import Verdict
from shared.bus.postgres import PostgresLog
from shared.db.answers import given_before, remember
from shared.db.tables import answers, inbox, outbox
from shared.http.routes import Zone
from shared.runtime.registry import load
from shared.runtime.service import Kit
from shared.runtime.unit import Unit
from tests.fixtures.databases import FreshDatabase
from tests.fixtures.kits import make_kit
from tests.service.test_lanes import Bench, bench
from tests.service.test_outbox import tip

__all__ = ["bench"]

DAYS = 30


@pytest.fixture
async def unit(fresh_database: FreshDatabase, bus_url: str) -> AsyncIterator[Unit]:
    service = load("asset_tips")
    made = Unit(service, await make_kit(service, await fresh_database(service)), PostgresLog(bus_url), tuple(Zone))
    yield made
    await made.close()


async def hour(unit: Unit) -> None:
    (job,) = [runner.job for runner in unit.jobs if runner.job.name == "forget what is over"]
    await job.run()


async def age(kit: Kit[Any], instant: "Column[Any]", days: float) -> None:
    table: Any = instant.table
    async with kit.db.begin() as tx:
        await tx.conn.execute(update(table).values({instant.name: func.clock_timestamp() - timedelta(days=days)}))


async def count(kit: Kit[Any], table: Table) -> int:
    async with kit.db.read() as conn:
        return int((await conn.execute(select(func.count()).select_from(table))).scalar_one())


async def test_answers_delivered_events_and_inbox_rows_go_after_their_time(unit: Unit) -> None:
    kit = unit.kit
    async with kit.db.begin() as tx:
        await remember(tx, "tips", "k", "mark", {"tip": "1"})
        await tx.emit(tip(uuid.uuid4(), 1))
        await tx.conn.execute(inbox.insert(), {"event_id": uuid.uuid4()})
    instants = (answers.c.given_at, inbox.c.handled_at, outbox.c.delivered_at)
    for days, left in ((DAYS - 0.1, 1), (DAYS + 0.1, 0)):
        for instant in instants:
            await age(kit, instant, days)
        await hour(unit)
        assert [await count(kit, table) for table in (answers, inbox, outbox)] == [left] * 3
    async with kit.db.begin() as tx:
        assert await given_before(tx, "tips", "k", "another mark") is None


async def test_an_event_that_was_never_delivered_is_kept_however_old(unit: Unit) -> None:
    async with unit.kit.db.begin() as tx:
        await tx.emit(tip(uuid.uuid4(), 1))
    await age(unit.kit, outbox.c.written_at, 400)
    await hour(unit)
    assert await count(unit.kit, outbox) == 1


async def test_a_repetition_is_refused_though_the_inbox_forgot_it(bench: Bench) -> None:
    first = bench.event(uuid.uuid4(), 1)
    assert await bench.keeper.settle(first) is Verdict.HANDLED
    async with bench.db.begin() as tx:
        await tx.conn.execute(inbox.delete())
    assert await bench.keeper.settle(first) is Verdict.REPEATED
    assert len(await bench.rows()) == 1
