"""Several processes of one service that meet on an empty database, as the first start of separate zones makes them."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import httpx
from sqlalchemy import text

from deploy.demo.phone import Phone
from services.staff.service import SERVICE
from services.staff.store import people
from services.staff.usecases.seeds import SEEDS, secret_name
from shared.bus.postgres import PostgresLog
from shared.clock import SystemClock
from shared.contracts.staff import MemberChanged
from shared.db import lists
from shared.db.access import Part
from shared.db.migrate import history, migrate, version_table
from shared.db.transaction import Database
from shared.http.routes import Zone
from shared.runtime.secrets import Vault, secret_path
from shared.runtime.unit import Unit, build_kit
from shared.settings import Environment, RunSettings
from shared.signals import Signals
from tests.fixtures.databases import TESTERS, FreshDatabase, as_part
from tests.fixtures.kits import told

ZONES = (Zone.STAFF, Zone.PUBLIC, Zone.STAFF)


async def test_many_migrate_an_empty_database_at_once(fresh_database: FreshDatabase) -> None:
    url = await fresh_database()
    databases = [Database(url, "staff", "渝05", SystemClock(), Signals(), 2) for _ in range(4)]
    try:
        await asyncio.gather(*(migrate(each.engine, "shared.db", SERVICE.package) for each in databases))
        async with databases[0].read() as conn:
            for package in ("shared.db", SERVICE.package):
                query = text(f"SELECT version_num FROM {version_table(package)}")  # noqa: S608 - our own names
                assert list((await conn.execute(query)).scalars()) == list(history(package).get_heads())
    finally:
        for each in databases:
            await each.close()


@asynccontextmanager
async def process(url: str, bus_url: str, data: Path, zone: Zone) -> AsyncIterator[Unit]:
    """The staff service in one zone, as a process of its own builds it that may migrate."""
    roles = TESTERS.model_dump(include={"service_role", "public_role"})
    run = RunSettings(environment=Environment.TEST, data=data, database_url=url, **roles)
    keys = await asyncio.to_thread(Vault(run).keys, SERVICE.name, SERVICE.held([Zone.STAFF]))
    kit = build_kit(SERVICE, run, keys, url, SystemClock())
    unit = Unit(SERVICE, kit, PostgresLog(bus_url), [zone], as_part(url, Part.OWNER))
    try:
        yield unit
    finally:
        await unit.close()


async def test_processes_that_start_at_once_begin_with_the_same_people(
    fresh_database: FreshDatabase, bus_url: str, tmp_path: Path
) -> None:
    """One set of members, told once each, and every password that is kept opens its door, with a code where it must."""
    url = await fresh_database(SERVICE, empty=True)
    async with AsyncExitStack() as stack:
        starting = (stack.enter_async_context(process(url, bus_url, tmp_path, zone)) for zone in ZONES)
        units = list(await asyncio.gather(*starting))
        await asyncio.gather(*(unit.prepare() for unit in units))
        kit = units[0].kit
        async with kit.db.read() as conn:
            members, _ = await people.page(conn, people.Wanted(), lists.Part(limit=200))
        assert sorted(member.login for member in members) == sorted(seed.login for seed in SEEDS)
        assert sorted(event.login for event in await told(kit, MemberChanged)) == sorted(seed.login for seed in SEEDS)
        paths = [
            secret_path(kit.run, secret_name(seed.login)) for seed in SEEDS if seed.login in {"clerk", "judge", "duty"}
        ]
        phone = Phone(kit.run.data)
        async with httpx.AsyncClient(transport=httpx.ASGITransport(units[0].app), base_url="http://test") as http:
            for path in paths:
                given = {"login": path.name, "password": path.read_text(), **phone.words(path.name)}
                assert (await http.post("/api/staff/sign-in", json=given)).status_code == 200
        assert len({unit.kit.keyring.blind_index("x", "y") for unit in units}) == 1
