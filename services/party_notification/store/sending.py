"""Messages and deliveries: planning, claiming, what was seen of them. Machine time here is the database's."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Literal, NamedTuple
from uuid import UUID

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    DateTime,
    Row,
    Text,
    Update,
    Uuid,
    any_,
    bindparam,
    func,
    insert,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncConnection

from services.party_notification.store.tables import (
    NOW,
    cases,
    deliveries,
    messages,
    observations,
    sms_templates,
)
from shared.db.arrays import Columns, arrays, unnested
from shared.db.tables import restorations

_OF_MESSAGE = (messages.c.address, messages.c.cause, messages.c.traceparent)


_STATE: Columns = {
    "delivery_id": Uuid,
    "state": Text,
    "step": Text,
    "due_at": DateTime(timezone=True),
    "reason": Text,
    "provider_id": Text,
}


def _set_states() -> Update:
    given = unnested(_STATE)
    changed = {name: given.c[name] for name in _STATE if name != "delivery_id"}
    return update(deliveries).where(deliveries.c.delivery_id == given.c.delivery_id).values(changed)


_SET_STATES = _set_states()


async def add_delivery(conn: AsyncConnection, row: dict[str, Any], due_at: datetime | None) -> None:
    """Plan another attempt, due at an instant of machine time, or now."""
    due = NOW if due_at is None else due_at
    await conn.execute(insert(deliveries).values(state="planned", step="send", due_at=due, **row))


async def doubt_open(conn: AsyncConnection) -> None:
    """What waited to leave when the backup was taken, of which these data come, may have left since."""
    back = select(func.max(restorations.c.restored_at)).scalar_subquery()
    waiting = (deliveries.c.state == "planned") & (deliveries.c.planned_at < back)
    sms = waiting & (deliveries.c.channel == "sms") & (deliveries.c.step == "send")
    await conn.execute(update(deliveries).where(sms).values(step="doubt"))
    mails = select(deliveries.c.message_id).where(waiting, deliveries.c.channel == "mail")
    await conn.execute(update(messages).where(messages.c.message_id.in_(mails)).values(possibly_twice=True))


async def next_attempt(conn: AsyncConnection, message_id: UUID) -> int:
    """The number of a message's next attempt; one that was dropped before it left keeps its own."""
    query = select(func.max(deliveries.c.attempt)).where(deliveries.c.message_id == message_id)
    return int((await conn.execute(query)).scalar_one()) + 1


def may_go() -> ColumnElement[bool]:
    """Neither withdrawn nor recalled. A correction goes whatever else is recalled."""
    recalled = select(cases.c.case_id).where(cases.c.recalled_at.is_not(None))
    return messages.c.withdrawn.is_(None) & (messages.c.corrects | messages.c.case_id.not_in(recalled))


async def claim_sms(conn: AsyncConnection, limit: int) -> list[Row[Any]]:
    """Lock due SMS of one approved template, each number once and none with a send in flight."""
    await hold(conn, "claim sms")
    busy = select(deliveries.c.address_id).where(deliveries.c.channel == "sms", deliveries.c.state == "intent")
    query = select(deliveries, *_OF_MESSAGE, messages.c.params, messages.c.template_key, sms_templates.c.code)
    query = query.join(messages, messages.c.message_id == deliveries.c.message_id)
    query = query.join(sms_templates, sms_templates.c.key == messages.c.template_key)
    query = query.where(sms_templates.c.approved_at.is_not(None), *_due("sms", "send"), may_go())
    query = query.where(deliveries.c.address_id.not_in(busy)).order_by(deliveries.c.due_at)
    query = query.limit(limit * 4).with_for_update(skip_locked=True, of=deliveries)
    return _one_batch(list(await conn.execute(query)), limit)


def _one_batch(rows: Sequence[Row[Any]], limit: int) -> list[Row[Any]]:
    chosen: dict[UUID, Row[Any]] = {}
    for row in rows:
        if row.template_key == rows[0].template_key and len(chosen) < limit:
            chosen.setdefault(row.address_id, row)
    return list(chosen.values())


async def claim_mails(conn: AsyncConnection, limit: int) -> list[Row[Any]]:
    """Lock due mails."""
    query = select(deliveries, *_OF_MESSAGE, messages.c.content)
    query = query.join(messages, messages.c.message_id == deliveries.c.message_id).where(*_due("mail", "send"))
    query = query.where(may_go())
    query = query.order_by(deliveries.c.due_at).limit(limit).with_for_update(skip_locked=True, of=deliveries)
    return list(await conn.execute(query))


def _due(channel: str, step: str) -> tuple[Any, ...]:
    return (deliveries.c.channel == channel, deliveries.c.step == step, deliveries.c.due_at <= NOW)


async def put_off(conn: AsyncConnection, delivery_id: UUID, by: timedelta) -> datetime:
    """The delivery's next step is due only after `by` from now, at the instant that is answered."""
    statement = update(deliveries).where(deliveries.c.delivery_id == delivery_id).values(due_at=NOW + by)
    due_at: datetime = (await conn.execute(statement.returning(deliveries.c.due_at))).scalar_one()
    return due_at


async def claim_step(conn: AsyncConnection, step: str, limit: int) -> list[Row[Any]]:
    """Lock deliveries whose next step, other than sending, is due."""
    query = select(deliveries).where(deliveries.c.step == step, deliveries.c.due_at <= NOW)
    query = query.order_by(deliveries.c.due_at).limit(limit).with_for_update(skip_locked=True)
    return list(await conn.execute(query))


async def set_delivery(conn: AsyncConnection, delivery_id: UUID, values: dict[str, Any]) -> None:
    """Change a delivery's cached state and next step."""
    await conn.execute(update(deliveries).where(deliveries.c.delivery_id == delivery_id).values(values))


async def set_states(conn: AsyncConnection, rows: Sequence[Mapping[str, Any]]) -> None:
    """Keep the cached state and next step of many; each row has all of `_STATE`."""
    await conn.execute(_SET_STATES, arrays(_STATE, rows))


async def lock_delivery(conn: AsyncConnection, delivery_id: UUID) -> Row[Any] | None:
    """As `lock_deliveries`, for one."""
    return next(iter(await lock_deliveries(conn, [delivery_id])), None)


async def lock_deliveries(conn: AsyncConnection, delivery_ids: Sequence[UUID]) -> list[Row[Any]]:
    """Deliveries with their messages, both locked, by case: whether a message is withdrawn is then settled."""
    particulars = (messages.c.case_id, messages.c.party_id, messages.c.cause, messages.c.withdrawn, messages.c.corrects)
    columns = (*particulars, NOW.label("machine_time"))
    query = select(deliveries, *columns).join(messages, messages.c.message_id == deliveries.c.message_id)
    query = query.where(deliveries.c.delivery_id == any_(_uuids(delivery_ids)))
    query = query.order_by(messages.c.case_id, deliveries.c.delivery_id)
    return list(await conn.execute(query.with_for_update(of=[deliveries, messages])))


def _uuids(ids: Sequence[UUID]) -> BindParameter[Any]:
    """One parameter, however many: the statement's text stays the same."""
    return bindparam(None, list(ids), type_=ARRAY(Uuid))


async def observe(conn: AsyncConnection, *rows: dict[str, Any]) -> None:
    """Append observations; nothing is ever taken back."""
    await conn.execute(insert(observations), list(rows))


async def intend(conn: AsyncConnection, ids: Sequence[UUID], out_id: str | None, until: timedelta) -> None:
    """Deliveries are about to leave: the lease of each runs for `until`, and its fencing token moves on."""
    values = {
        "state": "intent",
        "step": "expire",
        "due_at": NOW + until,
        "epoch": deliveries.c.epoch + 1,
        "out_id": out_id,
    }
    await conn.execute(update(deliveries).where(deliveries.c.delivery_id.in_(ids)).values(values))


async def observed(conn: AsyncConnection, message_ids: Sequence[UUID]) -> list[Row[Any]]:
    """Everything seen of all attempts of messages; an attempt of which nothing was seen has a row of nulls."""
    columns = (deliveries.c.message_id, deliveries.c.attempt, deliveries.c.step)
    query = select(*columns, observations.c.seen, observations.c.noted_at, observations.c.permanent)
    query = query.join(observations, observations.c.delivery_id == deliveries.c.delivery_id, isouter=True)
    query = query.where(deliveries.c.message_id == any_(_uuids(message_ids)))
    return list(await conn.execute(query.order_by(observations.c.id)))


async def observed_of(conn: AsyncConnection, message_ids: Sequence[UUID]) -> list[Row[Any]]:
    """Everything seen of all attempts of these messages, with the attempt, in the order of seeing."""
    columns = (deliveries.c.message_id, deliveries.c.channel, deliveries.c.attempt)
    query = select(observations, *columns)
    query = query.join(deliveries, deliveries.c.delivery_id == observations.c.delivery_id)
    return list(await conn.execute(query.where(deliveries.c.message_id.in_(message_ids)).order_by(observations.c.id)))


async def set_possibly_twice(conn: AsyncConnection, message_id: UUID) -> None:
    """More than one attempt of this message may have reached its recipient."""
    await conn.execute(update(messages).where(messages.c.message_id == message_id).values(possibly_twice=True))


async def machine_time(conn: AsyncConnection) -> datetime:
    """The database's present instant: leases and waits run by it, whatever the product's clock says."""
    now: datetime = (await conn.execute(select(NOW))).scalar_one()
    return now


async def hold(conn: AsyncConnection, *what: str) -> None:
    """One transaction at a time does each `what`, in all processes; several are taken in one order."""
    given = func.unnest(bindparam(None, sorted(set(what)), type_=ARRAY(Text))).table_valued("name").render_derived()
    await conn.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(given.c.name, 0))))


async def withdraw_later(conn: AsyncConnection, message_id: UUID, attempt: int) -> None:
    """An earlier attempt got through after all: what was planned after it need not leave."""
    later = (deliveries.c.message_id == message_id) & (deliveries.c.attempt > attempt)
    values = {"step": "done", "due_at": None, "reason": "前一次发送已确认成功，无需重发。"}
    await conn.execute(update(deliveries).where(later, deliveries.c.state == "planned").values(values))


async def not_left_yet(conn: AsyncConnection, party_id: UUID) -> list[Row[Any]]:
    """A party's deliveries that wait to be sent, locked."""
    query = select(deliveries).join(messages, messages.c.message_id == deliveries.c.message_id)
    query = query.where(messages.c.party_id == party_id, ~messages.c.corrects)
    query = query.where(deliveries.c.step == "send", deliveries.c.state == "planned")
    return list(await conn.execute(query.order_by(deliveries.c.delivery_id).with_for_update(of=deliveries)))


class WrittenTo(NamedTuple):
    """Where a party was, or was to be, written to, and how."""

    case_id: UUID
    party_id: UUID
    address_id: UUID
    channel: Literal["sms", "mail"]


async def written_to(conn: AsyncConnection, party_id: UUID, address_id: UUID) -> WrittenTo | None:
    """How the party was, or was to be, written to at this address; None when nobody ever was to."""
    query = select(*(messages.c[name] for name in WrittenTo._fields))
    here = (messages.c.party_id == party_id) & (messages.c.address_id == address_id)
    row = (await conn.execute(query.where(here).order_by(messages.c.message_id.desc()).limit(1))).one_or_none()
    return None if row is None else WrittenTo(*row)


async def message_of(conn: AsyncConnection, delivery_id: UUID) -> Row[Any]:
    """A delivery's message, sealed, and when (machine time, the carrier's too) it was intended; None: not by us."""
    intended = select(func.max(observations.c.noted_at)).where(
        observations.c.delivery_id == delivery_id, observations.c.seen == "intent"
    )
    query = select(messages, intended.scalar_subquery().label("intended_at"))
    query = query.join(deliveries, deliveries.c.message_id == messages.c.message_id)
    row: Row[Any] = (await conn.execute(query.where(deliveries.c.delivery_id == delivery_id))).one()
    return row
