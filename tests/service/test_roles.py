"""What the database roles reach: the service cannot rewrite its log, a stolen public process reads nothing."""

import re
from typing import Any

import pytest
from sqlalchemy import Table, insert, select, text
from sqlalchemy.exc import DBAPIError

from services.asset_tips import store as tips
from services.asset_tips.service import SERVICE as TIPS
from services.party_notification.service import SERVICE as NOTICES
from services.party_notification.store.tables import readings
from services.stage_tracking.service import SERVICE as STAGES
from shared.db import tables as kit_tables
from shared.db.access import ALL, Access, Part, SetupError
from shared.db.migrate import history, migrate_at
from shared.db.transaction import new_id
from shared.runtime.registry import load, service_names
from shared.runtime.service import Service
from shared.runtime.unit import NotMigratedError, Unit
from tests.fixtures.databases import TESTERS, as_part
from tests.fixtures.kits import NOON, as_owner, as_owner_of, in_public, make_kit

REWRITES = (
    "UPDATE ledger_entries SET body = ''",
    "DELETE FROM ledger_entries",
    "TRUNCATE ledger_entries",
    "SELECT * FROM ledger_entries FOR UPDATE",
    "ALTER TABLE ledger_entries DISABLE TRIGGER ALL",
    "ALTER TABLE ledger_entries RENAME TO other",
    "DROP TABLE ledger_entries",
    "DROP TRIGGER ledger_entries_append_only ON ledger_entries",
    "CREATE OR REPLACE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'",
    "CREATE RULE r AS ON INSERT TO ledger_entries DO INSTEAD NOTHING",
    "CREATE TABLE shadow ()",
    "CREATE TEMP TABLE ledger_entries ()",
    "SET session_replication_role = replica",
    "SET ROLE tester_stage_tracking_owner",
)


async def test_the_service_itself_cannot_rewrite_the_log(fresh_database: Any) -> None:
    kit = await make_kit(STAGES, await fresh_database(STAGES))
    assert not await refused(kit, text("SELECT * FROM ledger_entries"))
    for statement in REWRITES:
        assert await refused(kit, text(statement)), statement
    await kit.db.close()


@pytest.mark.parametrize("name", service_names())
async def test_every_table_of_every_service_has_exactly_the_privileges_that_are_declared(
    fresh_database: Any, name: str
) -> None:
    service = load(name)
    access = service.access(TESTERS)
    kit = await make_kit(service, await fresh_database(service))
    async with kit.db.engine.connect() as conn:
        for table in (each for book in access.tables for each in book.sorted_tables):
            for verb in ("SELECT", "INSERT", "UPDATE", "DELETE", "TRUNCATE", "TRIGGER", "REFERENCES"):
                kept = verb in {"UPDATE", "DELETE"} and "append_only" in table.info
                may = await conn.scalar(text(f"SELECT has_table_privilege('{table.name}', '{verb}')"))
                assert may == (verb in {"SELECT", "INSERT", "UPDATE", "DELETE"} and not kept), (table.name, verb)
    await kit.db.close()


async def refused(kit: Any, statement: Any) -> bool:
    async with kit.db.engine.connect() as conn:
        try:
            await conn.execute(statement)
        except DBAPIError as error:
            return bool(re.search("permission denied|must be owner", str(error)))
    return False


async def test_the_public_role_reads_neither_tips_nor_senders_nor_what_others_told(fresh_database: Any) -> None:
    kit = in_public(await make_kit(TIPS, await fresh_database(TIPS)))
    closed: list[Table] = [tips.senders, tips.looks, kit_tables.outbox, kit_tables.inbox, kit_tables.quarantine]
    for statement in (
        *map(select, closed),
        select(tips.tips.c.body),
        select(tips.tips.c.case_number),
        tips.tips.update().values(body=""),
        tips.tips.delete(),
        tips.senders.delete(),
        kit_tables.outbox.delete(),
        text("CREATE TABLE x ()"),
    ):
        assert await refused(kit, statement), str(statement)
    assert not await refused(kit, select(tips.tips.c.tip_number))


async def test_the_public_role_says_of_no_reading_that_it_counts(fresh_database: Any) -> None:
    """A stolen public process wrote readings that somebody had accepted, and with them service upon a party."""
    kit = in_public(await make_kit(NOTICES, await fresh_database(NOTICES)))
    row = {"reading_id": new_id(), "notice_id": new_id(), "party_id": new_id(), "visit": new_id()}
    row |= {"read_at": NOON, "evidence": "x"}
    for said in ({"state": "accepted"}, {"state": "new"}, {"decided_by": new_id()}, {"decided_at": NOON}):
        assert await refused(kit, insert(readings).values(row | said)), said
    assert not await refused(kit, insert(readings).values(row)), "its notice is not there, and that is all"


@pytest.mark.parametrize("name", service_names())
def test_a_public_role_names_the_columns_that_it_fills(name: str) -> None:
    every = [may.table.name for may in load(name).public_tables if ALL[0] in (*may.insert, *may.update)]
    assert every == []


async def test_a_service_without_public_pages_gives_the_public_role_nothing(fresh_database: Any) -> None:
    kit = await make_kit(load("staff"), await fresh_database(load("staff")))
    assert await refused(in_public(kit), text("SELECT * FROM members"))
    await kit.db.close()


async def test_privileges_that_somebody_changed_are_brought_in_line(fresh_database: Any) -> None:
    kit = await make_kit(TIPS, await fresh_database(TIPS))
    url = as_part(kit.db.engine.url.render_as_string(hide_password=False), Part.OWNER)
    async with as_owner(kit) as conn:
        await conn.execute(text("GRANT SELECT ON senders TO PUBLIC"))
        await conn.execute(text("GRANT UPDATE (staff_name) ON looks TO tester_asset_tips"))
        await conn.execute(text("REVOKE INSERT ON tips FROM tester_asset_tips"))
        await conn.execute(text("CREATE TABLE later (x text)"))
    await migrate_at(url, *TIPS.packages, access=TIPS.access(TESTERS))
    assert await refused(in_public(kit), select(tips.senders))
    assert await refused(kit, tips.looks.update().values(staff_name=""))
    assert not await refused(kit, text("INSERT INTO later VALUES ('x')"))
    async with as_owner(kit) as conn:
        assert await conn.scalar(text("SELECT has_table_privilege('tester_asset_tips', 'tips', 'INSERT')"))
    await kit.db.close()


async def test_a_missing_role_is_named(fresh_database: Any) -> None:
    url = await fresh_database()
    with pytest.raises(SetupError, match="没有角色 nobody_there：请数据库管理员"):
        await migrate_at(url, "shared.db", access=Access((), (), "nobody_there", ""))


def _newest(service: Service) -> str:
    (head,) = history(service.package).get_heads()
    return head


def unit(service: Service, kit: Any) -> Unit:
    bus: Any = None
    return Unit(service, kit, bus, [])


async def test_who_is_not_the_owner_waits_for_the_migration_and_the_owner_itself_is_refused(
    fresh_database: Any,
) -> None:
    url = await fresh_database(TIPS)
    kit = await make_kit(TIPS, url)
    await unit(TIPS, kit).prepare()
    async with as_owner_of(url) as conn:
        await conn.execute(text("UPDATE version_asset_tips SET version_num = '0001'"))
    with pytest.raises(NotMigratedError):
        await unit(TIPS, kit).prepare()
    async with as_owner_of(url) as conn:
        await conn.execute(text("UPDATE version_asset_tips SET version_num = '9999'"))  # of a newer build
    for each in (unit(TIPS, kit).prepare, unit(TIPS, kit).check_keys):
        with pytest.raises(SetupError, match="asset_tips）的结构属于更新的版本"):
            await each()
    with pytest.raises(SetupError, match="没有写入任何内容"):
        await migrate_at(as_part(url, Part.OWNER), *TIPS.packages, access=TIPS.access(TESTERS))
    async with as_owner_of(url) as conn:
        await conn.execute(text("UPDATE version_asset_tips SET version_num = :now"), {"now": _newest(TIPS)})
    owner = await make_kit(TIPS, as_part(url, Part.OWNER))
    with pytest.raises(SetupError, match="所有者的角色"):
        await unit(TIPS, owner).prepare()
    for each in (kit, owner):
        await each.db.close()
