"""Writing a backup while the product runs."""

import tempfile
import zipfile
from collections.abc import Callable, Mapping
from datetime import datetime
from importlib.metadata import version
from pathlib import Path

import asyncpg

from shared.runtime.backup.archive import (
    FORMAT,
    MANIFEST,
    DatabaseMark,
    Manifest,
    TableMark,
    digest,
    entry,
    new_file,
)
from shared.runtime.backup.cut import Cut, cut, quoted, tables_of

_COLUMNS = """
    SELECT attname FROM pg_attribute
    WHERE attrelid = $1::regclass AND attnum > 0 AND NOT attisdropped AND attgenerated = ''
    ORDER BY attnum
"""
_SEQUENCES = "SELECT sequencename, last_value FROM pg_sequences WHERE schemaname = 'public' AND last_value IS NOT NULL"
VERSIONS = "version_"
"""How the tables begin that say where migrations stand."""


async def keep(urls: Mapping[str, str], path: Path, say: Callable[[str], None]) -> Manifest:
    """Write the databases of one moment to `path`; what it holds. Raises BackupError."""
    with new_file(path) as archive:
        async with cut(urls) as moment:
            say(f"已取得同一时刻的数据，其间暂停写入 {moment.pause:.2f} 秒。正在写入文件……")
            manifest = await _written(archive, moment)
        archive.writestr(MANIFEST, manifest.model_dump_json(indent=1))
    return manifest


async def _written(archive: zipfile.ZipFile, moment: Cut) -> Manifest:
    taken_at: datetime = await next(iter(moment.readers.values())).fetchval("SELECT now()")
    marks = {name: await _database(archive, name, reader) for name, reader in moment.readers.items()}
    return Manifest(format=FORMAT, product=version("yangguang"), taken_at=taken_at, databases=marks)


async def _database(archive: zipfile.ZipFile, name: str, reader: asyncpg.Connection) -> DatabaseMark:
    names = await tables_of(reader)
    tables = {table: await _table(archive, name, table, reader) for table in names if not table.startswith(VERSIONS)}
    steps = [table for table in names if table.startswith(VERSIONS)]
    versions = {table: await version_of(reader, table) for table in steps}
    sequences = {row["sequencename"]: row["last_value"] for row in await reader.fetch(_SEQUENCES)}
    return DatabaseMark(versions=versions, tables=tables, sequences=sequences)


async def version_of(connection: asyncpg.Connection, table: str) -> str:
    """Where the migrations stand that keep their version in `table`."""
    version: str = await connection.fetchval(f"SELECT version_num FROM {quoted(table)}")  # noqa: S608 - our own names
    return version


async def _table(archive: zipfile.ZipFile, database: str, table: str, reader: asyncpg.Connection) -> TableMark:
    columns = [row["attname"] for row in await reader.fetch(_COLUMNS, quoted(table))]
    with tempfile.NamedTemporaryFile(prefix="yangguang-backup-") as rows:
        path = Path(rows.name)
        done = await reader.copy_from_table(table, schema_name="public", columns=columns, output=path, format="binary")
        archive.write(path, entry(database, table))
        return TableMark(columns=columns, rows=int(done.split()[-1]), sha256=digest(path))
