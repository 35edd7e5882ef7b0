"""Migrations: one Alembic history per service, and one for the kit's tables that every service's database has."""

from importlib import resources
from pathlib import Path

from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.operations import Operations
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.pool import NullPool

from shared.db.access import Access, settle

LOCK_TIMEOUT = "10s"


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
    """Whether every package's tables are of this version, or of a newer one that this build does not know."""
    async with engine.connect() as conn:
        return all([await conn.run_sync(_is_current, package) for package in packages])


def _is_current(conn: Connection, package: str) -> bool:
    script = history(package)
    found = MigrationContext.configure(conn, opts={"version_table": version_table(package)}).get_current_heads()
    older = {step.revision for step in script.walk_revisions()} - set(script.get_heads())
    return bool(found) and not older & set(found)
