"""Bringing a backup back into databases that are empty."""

import zipfile
from collections.abc import Mapping, Sequence
from graphlib import TopologicalSorter
from pathlib import Path

import asyncpg
from sqlalchemy.ext.asyncio import create_async_engine

from shared.bus.postgres.schema import migrate as migrate_bus
from shared.db.migrate import migrate
from shared.runtime.backup.archive import DatabaseMark, Manifest, read_manifest, unpacked
from shared.runtime.backup.cut import BackupError, plain, quoted, tables_of
from shared.runtime.backup.keep import VERSIONS, version_of
from shared.runtime.launch import BUS
from shared.runtime.registry import load

_NEEDS = """
    SELECT source.relname AS needing, target.relname AS needed
    FROM pg_constraint AS c JOIN pg_class AS source ON source.oid = c.conrelid
    JOIN pg_class AS target ON target.oid = c.confrelid
    WHERE c.contype = 'f' AND c.conrelid <> c.confrelid
"""


async def bring_back(urls: Mapping[str, str], archive: zipfile.ZipFile) -> Manifest:
    """Fill the databases at `urls`, each in one transaction. Raises BackupError, and then none is to be used."""
    manifest = read_manifest(archive)
    if set(urls) != set(manifest.databases):
        lacking = "、".join(sorted(set(urls) ^ set(manifest.databases)))
        raise BackupError(f"备份中的数据库与要恢复的不一致：{lacking}。请核对 YANGGUANG_LOG 等设置是否与备份时相同。")
    for name, url in urls.items():
        await _make_tables(name, url)
        connection = await asyncpg.connect(plain(url), timeout=30)
        try:
            async with connection.transaction():
                await _check(connection, name, manifest.databases[name])
                await _fill(connection, archive, name, manifest.databases[name])
                if name != BUS:
                    await connection.execute("INSERT INTO restorations (taken_at) VALUES ($1)", manifest.taken_at)
        finally:
            await connection.close()
    return manifest


async def _make_tables(name: str, url: str) -> None:
    if name == BUS:
        connection = await asyncpg.connect(plain(url), timeout=30)
        try:
            await migrate_bus(connection)
            if not await connection.fetchval("SELECT EXISTS (SELECT FROM records)"):
                await connection.execute("DELETE FROM log")  # its identity is the backup's
        finally:
            await connection.close()
        return
    engine = create_async_engine(url, hide_parameters=True)
    try:
        await migrate(engine, "shared.db", load(name).package)
    finally:
        await engine.dispose()


async def _check(connection: asyncpg.Connection, name: str, mark: DatabaseMark) -> None:
    """The same tables, and nothing in them."""
    tables = await tables_of(connection)
    for table in tables:
        if not table.startswith(VERSIONS):
            if await connection.fetchval(f"SELECT EXISTS (SELECT FROM {quoted(table)})"):  # noqa: S608 - our own names
                raise BackupError(
                    f"数据库 {name} 里已有数据，恢复只能在空的数据库中进行。请换一个空的数据目录或数据库。"
                )
        elif mark.versions.get(table) != await version_of(connection, table):
            raise BackupError(f"备份由另一个版本的软件制作（{name} 的表结构不同）。请先用当时的版本恢复，再升级。")
    lacking = set(mark.tables) - set(tables)
    if lacking:
        raise BackupError(f"本版本没有备份中的表：{name} 的 {'、'.join(sorted(lacking))}。请用当时的版本恢复。")


async def _fill(connection: asyncpg.Connection, archive: zipfile.ZipFile, name: str, mark: DatabaseMark) -> None:
    with unpacked(archive, name, mark.tables) as files:
        for table in await _in_order(connection, list(mark.tables)):
            await _copy(connection, table, mark.tables[table].columns, files[table])
    for sequence, last in mark.sequences.items():
        await connection.execute("SELECT setval($1::regclass, $2)", quoted(sequence), last)


async def _copy(connection: asyncpg.Connection, table: str, columns: Sequence[str], path: Path) -> None:
    await connection.copy_to_table(table, schema_name="public", columns=columns, source=path, format="binary")


async def _in_order(connection: asyncpg.Connection, tables: Sequence[str]) -> list[str]:
    """What others refer to comes before them."""
    order = TopologicalSorter[str]({table: set() for table in tables})
    for row in await connection.fetch(_NEEDS):
        order.add(row["needing"], row["needed"])
    return [table for table in order.static_order() if table in set(tables)]
