"""Takes what others leave in tables, the oldest first; what cannot be taken is set aside, and the rest goes on.

A process on the internet writes there, and whoever has taken it over writes whatever its database role may: texts that
do not open, words that nobody knows, instants of no calendar. None of it may stand before what others left. What is
set aside stays where it came in, the duty desk is told, `GET <path>/lanes` shows it, and it is tried again, longer
each time, or at once when an operator asks.
"""

import logging
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from shared.contracts.operations import TroubleReported
from shared.db import aside
from shared.db.aside import Stream
from shared.db.failures import is_away, is_passing
from shared.db.transaction import Database, Transaction, new_id
from shared.errors import TooMany
from shared.http.problems import log_unexpected

log = logging.getLogger(__name__)


class UnfitError(Exception):
    """What came in is not what this stream takes. The message names no person: operators read it."""


async def take(
    db: Database, stream: Stream, do: Callable[[Transaction, Sequence[Any]], Awaitable[None]], most: int = 1
) -> int:
    """Take the oldest in one transaction, `do` gets their keys; how many there were.

    Of several that fail together each is tried alone.
    """
    rows: list[Any] = []
    try:
        async with db.begin() as tx:
            rows = await aside.claim(tx.conn, stream, most)
            if rows:
                await do(tx, [row.key for row in rows])
                await aside.take_back(tx.conn, stream.name, [str(row.key) for row in rows if row.aside])
    except Exception as error:
        if not rows or _is_of_the_moment(error):
            raise
        if len(rows) == 1:
            await _set_aside(db, stream, rows[0].key, error)
        else:
            for _ in rows:
                await take(db, stream, do)
    return len(rows)


async def take_apart(db: Database, stream: Stream, do: Callable[[Any], Awaitable[None]]) -> bool:
    """As `take`, of one whose work has transactions of its own and does no harm when it is done twice."""
    async with db.begin() as tx:
        rows = await aside.claim(tx.conn, stream, 1)
    for row in rows:
        try:
            await do(row.key)
        except Exception as error:
            if _is_of_the_moment(error):
                raise
            await _set_aside(db, stream, row.key, error)
            continue
        if row.aside:
            async with db.begin() as tx:
                await aside.take_back(tx.conn, stream.name, [str(row.key)])
    return bool(rows)


def _is_of_the_moment(error: Exception) -> bool:
    """Whether the row has no part in it: the same one may well be taken in a moment."""
    if isinstance(error, ExceptionGroup):
        return any(map(_is_of_the_moment, error.exceptions))
    return is_away(error) or is_passing(error) or isinstance(error, TooMany)


async def _set_aside(db: Database, stream: Stream, key: Any, error: Exception) -> None:
    cause = error.exceptions[0] if isinstance(error, ExceptionGroup) else error
    reason = str(cause) if isinstance(cause, UnfitError) else type(cause).__name__
    log.error("set aside", extra={"service": db.service, "stream": stream.name, "error": type(cause).__name__})
    if not isinstance(error, UnfitError):
        log_unexpected(error)
    async with db.begin() as tx:
        if await aside.put(tx.conn, stream.name, str(key), reason):
            await tx.emit(_trouble(db.service, stream.name, tx))


def _trouble(service: str, stream: str, tx: Transaction) -> TroubleReported:
    summary = (
        f"{service} 收到不能办理的记录（{stream}），已原样留存并放在一边，其他记录照常办理。"
        "请系统管理员查看停放的记录及原因（见告警手册“放在一边的记录”），排除原因后重新办理；多条同时出现的，请先查对外进程是否被他人控制。"
    )
    return TroubleReported(trouble_id=new_id(), service=service, kind="set_aside", summary=summary, noticed_at=tx.now)
