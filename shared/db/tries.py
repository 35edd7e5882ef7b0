"""Five wrong tries lock what a secret opens, alone, for 15 minutes by the database's time: no movable clock unlocks it.

A mark is a keyed hash of what is tried (a login, a code, a number), whether it exists or not, so that nobody learns
from the lock what there is.
"""

from datetime import timedelta

from sqlalchemy import case, delete, func, select, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncConnection

from shared.db.tables import wrong_tries as tries

TRIES = 5
LOCK = timedelta(minutes=15)
_KEPT = timedelta(days=1)
_AHEAD = timedelta(minutes=1)
"""How far the last try may lie ahead: no transaction that waits in line is as old. Beyond, somebody made it up."""
_NOW = func.now()


async def claim(conn: AsyncConnection, mark: str, most: int = TRIES) -> float:
    """Count one try before its secret is looked at: 0, or the seconds for which the mark is locked yet.

    Tries of one mark stand in line until the transaction ends, so none outruns the lock. A wrong try is a transaction
    that commits; a right one calls `forget`, or `take_back` where it proves less than the mark guards.
    """
    await _forget_old(conn)
    stale = ~tries.c.last_at.between(_NOW - LOCK, _NOW + _AHEAD)
    statement = upsert(tries).values(mark=mark, tried=1, last_at=_NOW)
    statement = statement.on_conflict_do_update(
        index_elements=["mark"],
        set_={"tried": case((stale, 1), else_=tries.c.tried + 1), "last_at": _NOW},
        where=stale | (tries.c.tried < most),
    )
    if (await conn.execute(statement.returning(tries.c.tried))).one_or_none() is not None:
        return 0.0
    left = select(func.extract("epoch", tries.c.last_at + LOCK - _NOW)).where(tries.c.mark == mark)
    return max(1.0, float((await conn.execute(left)).scalar_one()))


async def forget(conn: AsyncConnection, mark: str) -> None:
    """The right secret came."""
    await conn.execute(delete(tries).where(tries.c.mark == mark))


async def take_back(conn: AsyncConnection, mark: str) -> None:
    """One try was none after all: the others stay counted."""
    await conn.execute(update(tries).where(tries.c.mark == mark, tries.c.tried > 0).values(tried=tries.c.tried - 1))


async def forget_below(conn: AsyncConnection, beginning: str) -> None:
    """Forget every mark that is this one with more behind a slash."""
    await conn.execute(delete(tries).where(tries.c.mark.startswith(beginning + "/", autoescape=True)))


async def _forget_old(conn: AsyncConnection) -> None:
    over = ~tries.c.last_at.between(_NOW - _KEPT, _NOW + _KEPT)
    old = select(tries.c.mark).where(over).limit(100).with_for_update(skip_locked=True)
    await conn.execute(delete(tries).where(tries.c.mark.in_(old)))
