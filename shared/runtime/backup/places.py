"""Where the databases are: embedded ones of a product that runs or stands still, or those that the settings name."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress

from shared.db.access import Part
from shared.runtime.backup.cut import BackupError
from shared.runtime.launch import BUS, SANDBOX
from shared.runtime.postgres import EmbeddedPostgres, PostgresStartError, read_url
from shared.runtime.registry import service_names
from shared.settings import Environment, RunSettings

_CONNECTIONS = 60


def databases(run: RunSettings) -> list[str]:
    """Every database of this product by name: the services', and the log's where it lives in PostgreSQL."""
    names = [name for name in service_names() if name != SANDBOX or run.environment is not Environment.PRODUCTION]
    return [*names, BUS] if run.log == "postgres" else names


@contextmanager
def reached(run: RunSettings) -> Iterator[dict[str, str]]:
    """The URLs of all databases, as their owners; an embedded server that stands still runs meanwhile."""
    names = databases(run)
    if run.database_url:
        yield _named(run, names)
        return
    folder = run.data / "postgres"
    if not (folder / "credentials.json").exists():
        raise BackupError(f"{folder} 中没有数据库。请核对 YANGGUANG_DATA。")
    running = _running(run, names)
    if running:
        yield running
        return
    with _started(run, names) as urls:
        yield urls


def _named(run: RunSettings, names: list[str]) -> dict[str, str]:
    """The owners' URLs that the settings give: whoever runs the services can neither lock nor fill their tables."""
    if not run.owner_url:
        raise BackupError("缺少 YANGGUANG_OWNER_URL：备份和恢复要用数据表所有者的数据库地址（可写 {service}）。")
    try:
        return {name: run.owner_of(name) for name in names}
    except ValueError as error:
        raise BackupError(str(error)) from None


def _running(run: RunSettings, names: list[str]) -> dict[str, str]:
    """Empty when it stands still. A product may run without its sandbox: then that has no database."""
    found = {}
    for name in names:
        with suppress(PostgresStartError):
            found[name] = read_url(run.data / "postgres", name, Part.OWNER)
    return found


@contextmanager
def made(run: RunSettings, names: list[str]) -> Iterator[dict[str, str]]:
    """The URLs of databases to fill, as their owners; embedded ones are made in a folder that must not be there yet."""
    unknown = sorted(set(names) - set(databases(run)))
    if unknown:
        raise BackupError(
            f"备份中有本系统没有的数据库：{'、'.join(unknown)}。请核对 YANGGUANG_LOG 等设置是否与备份时相同。"
        )
    if run.database_url:
        yield _named(run, names)
        return
    if (run.data / "postgres").exists():
        raise BackupError(f"{run.data / 'postgres'} 已存在，没有改动。请用 YANGGUANG_DATA 指定一个空的数据目录。")
    with _started(run, names) as urls:
        yield urls


@contextmanager
def _started(run: RunSettings, names: list[str]) -> Iterator[dict[str, str]]:
    server = EmbeddedPostgres(run.data / "postgres", names, _CONNECTIONS)
    try:
        server.start()
    except PostgresStartError as error:
        raise BackupError(str(error)) from None
    try:
        yield {name: server.url(name, Part.OWNER) for name in names}
    finally:
        server.stop()
