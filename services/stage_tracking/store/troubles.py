"""Tasks about deliveries in trouble: one per delivery, done when every notice that it carried is served.

Their subject is party/channel/delivery. The case's row is locked by whoever calls.
"""

from collections.abc import Collection
from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, any_, case, func, literal, null, select, true, update
from sqlalchemy.ext.asyncio import AsyncConnection

from services.stage_tracking.domain.tasks import TaskKind
from services.stage_tracking.store.tables import tasks


def _here(case_id: UUID) -> ColumnElement[bool]:
    troubles = (tasks.c.case_id == case_id) & (tasks.c.kind == TaskKind.DELIVERY_TROUBLE)
    return troubles & tasks.c.done_at.is_(None)


async def awaited(conn: AsyncConnection, case_id: UUID, subject: str) -> set[UUID]:
    """The notices for which the open task of a delivery waits; none when there is no such task."""
    query = select(tasks.c.awaits).where(_here(case_id), tasks.c.subject == subject)
    return set((await conn.execute(query)).scalar_one_or_none() or ())


async def is_awaited(conn: AsyncConnection, case_id: UUID, notice_id: UUID) -> bool:
    """Whether an open task of a delivery waits for this notice."""
    waiting = literal(notice_id) == any_(tasks.c.awaits)
    query = select(tasks.c.id).where(_here(case_id), waiting).limit(1)
    return (await conn.execute(query)).one_or_none() is not None


async def reword(
    conn: AsyncConnection, case_id: UUID, subject: str, words: tuple[str, str], notices: Collection[UUID]
) -> None:
    """Title and sealed detail of a delivery's task as they now are, and the notices for which it waits."""
    title, detail = words
    values = {"title": title, "detail": detail, "awaits": list(notices)}
    await conn.execute(update(tasks).where(_here(case_id), tasks.c.subject == subject).values(values))


async def settle(
    conn: AsyncConnection, case_id: UUID, notice_id: UUID, at: datetime, before: str | None = None
) -> None:
    """No task waits for this notice any more; those that wait for nothing else are done, by nobody's hand.

    `before`: only the tasks of other attempts by the same channel than this subject's.
    """
    left = func.array_remove(tasks.c.awaits, notice_id)
    others = true() if before is None else _attempts_besides(before)
    values = {"awaits": left, "done_at": case((func.cardinality(left) == 0, at), else_=null())}
    waiting = literal(notice_id) == any_(tasks.c.awaits)
    await conn.execute(update(tasks).where(_here(case_id), waiting, others).values(values))


def _attempts_besides(subject: str) -> ColumnElement[bool]:
    channel = subject.rpartition("/")[0]
    return tasks.c.subject.startswith(f"{channel}/", autoescape=True) & (tasks.c.subject != subject)
