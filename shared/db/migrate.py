"""Migrations: one Alembic history per service, and one for the kit's tables that every service's database has."""

from collections.abc import Sequence
from importlib import resources
from pathlib import Path

from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.operations import Operations
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.pool import NullPool

from shared.db.access import Access, SetupError, settle

LOCK_TIMEOUT = "10s"
_NEWER = (
    "数据库（{tables}）的结构属于更新的版本，本版本不能使用，没有启动，也没有写入任何内容：请启动升级后的版本；"
    "确要退回旧版本的，用升级前的备份恢复。"
)


def history(package: str) -> ScriptDirectory:
    """The migrations that lie in `package`'s folder `migrations/`."""
    folder = Path(str(resources.files(package))) / "migrations"
    config = Config()
    config.set_main_option("script_location", str(folder))
    config.set_main_option("version_locations", str(folder))
    config.set_main_option("path_separator", "os")
    return ScriptDirectory.from_config(config)


def version_table(package: str) -> str:
    """Where the version of `package`'s history is kept."""
    return "version_" + package.rsplit(".", 1)[-1]


def upgrade(conn: Connection, package: str) -> None:
    """Bring `package`'s tables to their newest version, step by step, within the open transaction."""
    script = history(package)
    context = MigrationContext.configure(conn, opts={"version_table": version_table(package)})
    heads = context.get_current_heads()
    if set(heads) == set(script.get_heads()):
        return
    with Operations.context(context):
        for step in reversed(list(script.iterate_revisions("heads", heads or "base"))):
            step.module.upgrade()
            context._ensure_version_table()  # noqa: SLF001 - Alembic offers no public way to stamp within a transaction
            context.stamp(script, step.revision)


async def migrate(engine: AsyncEngine, *packages: str, access: Access | None = None) -> None:
    """Upgrade every package's tables and set who may do what with them, in one transaction, as the tables' owner.

    Only one process migrates at a time. Raises SetupError.
    """
    async with engine.begin() as conn:
        await conn.execute(text("SELECT pg_advisory_xact_lock(7203)"))  # before the limit: others may take long
        await conn.execute(text(f"SET LOCAL lock_timeout = '{LOCK_TIMEOUT}'"))
        await conn.run_sync(_refuse_newer, packages)
        for package in packages:
            await conn.run_sync(upgrade, package)
        if access is not None:
            await settle(conn, access)


async def migrate_at(url: str, *packages: str, access: Access) -> None:
    """As `migrate`, over a connection of the owner's own, which ends with it."""
    engine = create_async_engine(url, poolclass=NullPool, hide_parameters=True, connect_args={"timeout": 10})
    try:
        await migrate(engine, *packages, access=access)
    finally:
        await engine.dispose()


async def is_migrated(engine: AsyncEngine, *packages: str) -> bool:
    """Whether every package's tables are of this version. Raises SetupError when some are of a newer one."""
    async with engine.connect() as conn:
        await conn.run_sync(_refuse_newer, packages)
        return all([await conn.run_sync(_is_current, package) for package in packages])


def _is_current(conn: Connection, package: str) -> bool:
    return _heads(conn, package) == set(history(package).get_heads())


def _heads(conn: Connection, package: str) -> set[str]:
    """The version that the package's tables have; empty before the first."""
    return set(MigrationContext.configure(conn, opts={"version_table": version_table(package)}).get_current_heads())


def _refuse_newer(conn: Connection, packages: Sequence[str]) -> None:
    """What a build does not know it must not touch: a newer one may have dropped what this one writes."""
    for package in packages:
        if _heads(conn, package) - {step.revision for step in history(package).walk_revisions()}:
            raise SetupError(_NEWER.format(tables=package.rpartition(".")[2]))
