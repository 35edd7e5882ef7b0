"""`yangguang prepare`: makes databases and log ready as owner and administrator, beside the processes that answer.

Whoever answers people never holds their passwords; a process whose tables are older than it waits for this.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable, Sequence
from functools import partial

from shared.bus.log import BusDeniedError, BusError
from shared.db.failures import is_away, is_passing
from shared.db.migrate import migrate_at
from shared.runtime.listener import LaunchError
from shared.runtime.logs import admin_of, kafka_log, prepare_log
from shared.runtime.service import Service
from shared.settings import RunSettings

log = logging.getLogger(__name__)


async def prepare(services: Iterable[Service], run: RunSettings) -> None:
    """Migrate each service's tables and set the privileges; in Kafka make topics, users and their rules.

    Raises LaunchError and SetupError.
    """
    chosen = list(services)
    for service in chosen:
        try:
            url = run.owner_of(service.name)
        except ValueError as error:
            raise LaunchError(str(error)) from None
        if not url:
            raise LaunchError("缺少 YANGGUANG_OWNER_URL：数据表所有者的数据库地址（可写 {service} 和 @文件路径）。")
        access = service.access(run)
        await patiently(service.name, partial(migrate_at, url, *service.packages, access=access))
    if run.log == "kafka" and run.kafka_admin_password:
        await _prepare_log(chosen, run)


async def _prepare_log(services: Sequence[Service], run: RunSettings) -> None:
    """Once Kafka is there; an administrator who is not let in is told so."""
    while True:
        try:
            await prepare_log(services, run)
        except BusDeniedError as error:
            raise LaunchError(str(error)) from None
        except BusError as error:
            log.warning("log away", extra={"error": type(error).__name__})
            await asyncio.sleep(1)
        else:
            return


async def tend_log(services: Sequence[Service], run: RunSettings, tell: Callable[[str], None]) -> None:
    """Prepare the log, and again whenever it came back as another one, until cancelled.

    What keeps the administrator out is told.
    """
    admin, cluster = kafka_log(run, admin_of(run)), ""
    try:
        while True:
            try:
                if await admin.identity() != cluster:
                    cluster = await prepare_log(services, run)
            except BusDeniedError as error:
                tell(str(error))
            except BusError as error:
                log.warning("log away", extra={"error": type(error).__name__})
                cluster = ""
            await asyncio.sleep(2.0 if cluster else 0.5)
    finally:
        await admin.close()


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
