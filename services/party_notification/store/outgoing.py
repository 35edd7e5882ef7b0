"""Messages as they are written down: many at a time, each with the notices that it carries and its first attempt."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    DateTime,
    Insert,
    Interval,
    TableValuedAlias,
    Text,
    Uuid,
    case,
    func,
    insert,
    literal,
    select,
)
from sqlalchemy.ext.asyncio import AsyncConnection

from services.party_notification.store.tables import NOW, deliveries, message_notices, messages
from shared.db.arrays import Columns, arrays, unnested
from shared.db.tables import restorations

_OWN = [column for column in messages.columns if column.name not in {"possibly_twice", "withdrawn"}]
_MESSAGE: Columns = {column.name: column.type for column in _OWN}
_MADE: Columns = {"made": DateTime(timezone=True)}
_CARRIED: Columns = {"message_id": Uuid, "notice_id": Uuid}
_ATTEMPT: Columns = {"delivery_id": Uuid, "message_id": Uuid, "channel": Text, "address_id": Uuid}
_FATE: Columns = {**_MADE, "wait": Interval, "reason": Text}


@dataclass(frozen=True)
class Outgoing:
    """A message's row, and what else is known of it when it is written down.

    `made`: when its cause came about, in machine time. `failed`: why its first attempt cannot be made.
    """

    row: Mapping[str, Any]
    delivery_id: UUID
    notice_ids: Sequence[UUID]
    made: datetime
    wait: timedelta
    failed: str | None


def _doubted(given: TableValuedAlias) -> ColumnElement[bool]:
    """Whether the data come from a backup, and what made a message lies before their return.

    The product from which they come may have told of it already.
    """
    back = select(func.max(restorations.c.restored_at)).scalar_subquery()
    return func.coalesce(back > given.c.made, False)


def _add_messages() -> Insert:
    given = unnested({**_MESSAGE, **_MADE})
    twice = (given.c.channel == "mail") & _doubted(given)
    return insert(messages).from_select([*_MESSAGE, "possibly_twice"], select(*(given.c[n] for n in _MESSAGE), twice))


def _add_attempts() -> Insert:
    given = unnested({**_ATTEMPT, **_FATE})
    planned = given.c.reason.is_(None)
    doubted = (given.c.channel == "sms") & _doubted(given)
    state = case((planned, "planned"), else_="failed")
    step = case((~planned, "done"), (doubted, "doubt"), else_="send")
    values = (given.c.reason, literal(1), state, step, case((planned, NOW + given.c.wait)))
    names = [*_ATTEMPT, "reason", "attempt", "state", "step", "due_at"]
    return insert(deliveries).from_select(names, select(*(given.c[name] for name in _ATTEMPT), *values))


_ADD_MESSAGES, _ADD_ATTEMPTS = _add_messages(), _add_attempts()
_ADD_CARRIED = insert(message_notices).from_select(list(_CARRIED), select(unnested(_CARRIED)))


async def add(conn: AsyncConnection, outgoing: Sequence[Outgoing]) -> None:
    """Write messages down; what can leave is due after its `wait`.

    A mail of a cause from before a restoration may have gone out already: it says so. An SMS of one is not sent yet.
    """
    rows = [{**each.row, "made": each.made} for each in outgoing]
    await conn.execute(_ADD_MESSAGES, arrays({**_MESSAGE, **_MADE}, rows))
    carried = [{**each.row, "notice_id": notice_id} for each in outgoing for notice_id in each.notice_ids]
    await conn.execute(_ADD_CARRIED, arrays(_CARRIED, carried))
    attempts = [
        {**each.row, "delivery_id": each.delivery_id, "made": each.made, "wait": each.wait, "reason": each.failed}
        for each in outgoing
    ]
    await conn.execute(_ADD_ATTEMPTS, arrays({**_ATTEMPT, **_FATE}, attempts))
