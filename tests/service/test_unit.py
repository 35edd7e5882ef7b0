"""How a service begins: with the moved clock; in the public zone alone, without the work of the inner network."""

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import func, insert, select

from shared.bus.postgres import PostgresLog
from shared.clock import SystemClock
from shared.contracts.sandbox import ClockMoved
from shared.db.tables import outbox, sandbox_clock
from shared.db.transaction import UndeclaredError
from shared.http.routes import Zone
from shared.runtime.registry import load
from shared.runtime.unit import Unit
from tests.fixtures.databases import FreshDatabase
from tests.fixtures.kits import make_kit

AHEAD = timedelta(days=30)


async def test_a_service_that_starts_again_has_the_moved_clock_before_its_first_work(
    fresh_database: FreshDatabase, bus_url: str
) -> None:
    service = load("asset_tips")
    kit = replace(await make_kit(service, await fresh_database(service)), clock=SystemClock())
    async with kit.db.begin() as tx:
        await tx.conn.execute(insert(sandbox_clock), {"only": 1, "offset_seconds": AHEAD.total_seconds()})
    await Unit(service, kit, PostgresLog(bus_url), tuple(Zone)).prepare()
    assert kit.clock.now() - SystemClock().now() > AHEAD - timedelta(minutes=1)
    await kit.db.close()


async def test_a_process_of_the_public_zone_alone_runs_no_loops_and_no_jobs(
    fresh_database: FreshDatabase, bus_url: str
) -> None:
    service = load("asset_tips")
    kit = await make_kit(service, await fresh_database(service))
    unit = Unit(service, kit, PostgresLog(bus_url), (Zone.PUBLIC,))
    assert unit.loops == []
    assert [runner.job.name for runner in unit.jobs] == ["follow the court's data", "follow the sandbox's clock"]
    assert set(unit.prefixes) == set(service.public_paths)
    await unit.close()


async def test_a_service_cannot_tell_on_a_topic_that_it_does_not_declare(fresh_database: FreshDatabase) -> None:
    """Its user at Kafka could not write there: what it told would stay in the outbox for good."""
    service = load("asset_tips")
    kit = await make_kit(service, await fresh_database(service))
    with pytest.raises(UndeclaredError, match="asset_tips does not declare that it tells on sandbox"):
        async with kit.db.begin() as tx:
            await tx.emit(ClockMoved(offset_seconds=1))
    async with kit.db.read() as conn:
        assert (await conn.execute(select(func.count()).select_from(outbox))).scalar_one() == 0
    await kit.db.close()
