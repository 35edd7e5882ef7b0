"""`yangguang prepare`: makes the databases ready as their owner, before and beside the processes that answer.

Whoever answers people never holds the owner's password; a process whose tables are older than it waits for this.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable
from functools import partial

from shared.db.failures import is_away, is_passing
from shared.db.migrate import migrate_at
from shared.runtime.listener import LaunchError
from shared.runtime.service import Service
from shared.settings import RunSettings

log = logging.getLogger(__name__)


async def prepare(services: Iterable[Service], run: RunSettings) -> None:
    """Migrate each service's tables and set the privileges. Raises LaunchError and SetupError."""
    for service in services:
        try:
            url = run.owner_of(service.name)
        except ValueError as error:
            raise LaunchError(str(error)) from None
        if not url:
            raise LaunchError("缺少 YANGGUANG_OWNER_URL：数据表所有者的数据库地址（可写 {service} 和 @文件路径）。")
        access = service.access(run)
        await patiently(service.name, partial(migrate_at, url, *service.packages, access=access))


async def patiently(service: str, act: Callable[[], Awaitable[None]]) -> None:
    """Do it once the database is there: one that comes up later, restarts or has yet to be prepared is awaited."""
    while not await _done(service, act):  # noqa: ASYNC110 - a database fires no event here
        await asyncio.sleep(1)


async def _done(service: str, act: Callable[[], Awaitable[None]]) -> bool:
    try:
        await act()
    except Exception as error:
        if not (is_away(error) or is_passing(error)):
            raise
        log.warning("database away", extra={"service": service, "error": type(error).__name__})
        return False
    return True
