"""Messages that are not to go out any more, and what had gone out by then."""

from collections.abc import Collection, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Row, delete, exists, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from services.party_notification.store.tables import (
    deliveries,
    message_notices,
    messages,
    notices,
    paper,
    paper_notices,
)

CORRECTION = "MISFILED_CORRECTION"
MISFILED = "misfiled"
"""Why a message is withdrawn: its recipient is no party."""
DISOWNED = "disowned"
"""Why a message is withdrawn: whoever holds its address is not the party."""
_VOID = "收件人不是本案当事人，通知作废，不发生效力。"
_TOLD = ("unknown", "sent", "delivered")
LEFT = ("intent", *_TOLD)
"""States of a delivery that has, or may have, left."""


def _of(party_id: UUID, address_id: UUID | None) -> list[ColumnElement[bool]]:
    mine = [messages.c.party_id == party_id, ~messages.c.corrects]
    return mine if address_id is None else [*mine, messages.c.address_id == address_id]


async def withdraw(conn: AsyncConnection, party_id: UUID, why: str, address_id: UUID | None = None) -> None:
    """No attempt of the party's messages (to this address) is made any more. Before any delivery is looked at."""
    await conn.execute(update(messages).where(*_of(party_id, address_id)).values(withdrawn=why))


async def restore(conn: AsyncConnection, party_id: UUID, address_id: UUID) -> None:
    """The party's messages to this address stand again: it is theirs after all."""
    here = [*_of(party_id, address_id), messages.c.withdrawn == DISOWNED]
    await conn.execute(update(messages).where(*here).values(withdrawn=None))


async def drop_in_hand(
    conn: AsyncConnection, party_id: UUID, reason: str, address_id: UUID | None = None
) -> list[UUID]:
    """The party's deliveries (to this address) that would be sent again, or that a person would decide on: dropped."""
    query = select(deliveries.c.delivery_id).join(messages, messages.c.message_id == deliveries.c.message_id)
    query = query.where(*_of(party_id, address_id), deliveries.c.step.in_(("resend", "person")))
    held = query.order_by(deliveries.c.delivery_id).with_for_update(of=deliveries)
    found = list((await conn.execute(held)).scalars())
    if found:
        dropped = update(deliveries).where(deliveries.c.delivery_id.in_(found))
        await conn.execute(dropped.values(step="done", due_at=None, reason=reason))
    return found


async def withdraw_notices(conn: AsyncConnection, party_id: UUID) -> None:
    """The party's notices are void, whatever served them; letters that the post does not have stay here."""
    mine = (notices.c.party_id == party_id) & (notices.c.kind != CORRECTION)
    void: dict[str, Any] = {"state": "withdrawn", "waits_reason": None, "waits_owner": None}
    void |= {"served_on": None, "served_by": None, "served_because": _VOID}
    await conn.execute(update(notices).where(mine).values(void))
    here = (paper.c.party_id == party_id) & paper.c.state.in_(("to_print", "returned"))
    await conn.execute(update(paper).where(here).values(state="withdrawn"))


async def void(conn: AsyncConnection, notice_ids: Sequence[UUID], reason: str) -> None:
    """These notices count for nothing, whatever served them; letters that the post does not have stay here."""
    values: dict[str, Any] = {"state": "withdrawn", "waits_reason": None, "waits_owner": None}
    values |= {"served_on": None, "served_by": None, "served_because": reason}
    await conn.execute(update(notices).where(notices.c.notice_id.in_(notice_ids)).values(values))
    standing = exists().where(
        paper_notices.c.paper_id == paper.c.paper_id,
        notices.c.notice_id == paper_notices.c.notice_id,
        notices.c.state != "withdrawn",
    )
    carries = exists().where(paper_notices.c.paper_id == paper.c.paper_id, paper_notices.c.notice_id.in_(notice_ids))
    here = carries & ~standing & paper.c.state.in_(("to_print", "returned"))
    await conn.execute(update(paper).where(here).values(state="withdrawn"))
    left = delete(paper_notices).where(paper_notices.c.notice_id.in_(notice_ids))
    still = select(paper.c.paper_id).where(paper.c.state.in_(("to_print", "returned")))
    await conn.execute(left.where(paper_notices.c.paper_id.in_(still)))


async def not_left_of(conn: AsyncConnection, notice_ids: Sequence[UUID]) -> list[Row[Any]]:
    """The deliveries that would still carry one of these notices, locked."""
    carries = exists().where(
        message_notices.c.message_id == deliveries.c.message_id, message_notices.c.notice_id.in_(notice_ids)
    )
    query = select(deliveries, messages.c.party_id).join(messages, messages.c.message_id == deliveries.c.message_id)
    query = query.where(carries, deliveries.c.step == "send", deliveries.c.state == "planned")
    return list(await conn.execute(query.order_by(deliveries.c.delivery_id).with_for_update(of=deliveries)))


async def told_at(conn: AsyncConnection, party_id: UUID) -> list[Row[Any]]:
    """A message for each channel and address at which the party was, or may have been, told something."""
    seen = exists().where(deliveries.c.message_id == messages.c.message_id, deliveries.c.state.in_(_TOLD))
    query = select(messages).where(messages.c.party_id == party_id, ~messages.c.corrects, seen)
    rows = await conn.execute(query.order_by(messages.c.message_id))
    return list({(row.channel, row.address_id): row for row in rows}.values())


async def corrected_at(conn: AsyncConnection, party_id: UUID) -> set[tuple[str, UUID]]:
    """The channels and addresses to which a correction was planned."""
    query = select(messages.c.channel, messages.c.address_id).where(messages.c.party_id == party_id)
    return {(row.channel, row.address_id) for row in await conn.execute(query.where(messages.c.corrects))}


async def posted(conn: AsyncConnection, party_id: UUID) -> tuple[bool, bool]:
    """Whether the post took letters to the party, and whether a correction on paper stands."""
    of_kind = exists().where(
        paper_notices.c.paper_id == paper.c.paper_id,
        notices.c.notice_id == paper_notices.c.notice_id,
        notices.c.kind == CORRECTION,
    )
    query = select(paper.c.state, of_kind.label("corrects")).where(paper.c.party_id == party_id)
    rows = list(await conn.execute(query))
    went = any(row.state in {"posted", "served"} and not row.corrects for row in rows)
    return went, any(row.corrects for row in rows)


async def told_of(conn: AsyncConnection, party_id: UUID) -> list[Row[Any]]:
    """The notices of which the party was, or may have been, told: by message or by post."""
    mine = (notices.c.party_id == party_id) & (notices.c.kind != CORRECTION)
    query = select(notices).where(mine, has_left()).order_by(notices.c.issued_at, notices.c.notice_id)
    return list(await conn.execute(query))


def has_left(states: Collection[str] = LEFT) -> ColumnElement[bool]:
    """Whether anything that tells of a notice has, or may have, left the court."""
    by_message = exists().where(
        message_notices.c.notice_id == notices.c.notice_id,
        deliveries.c.message_id == message_notices.c.message_id,
        deliveries.c.state.in_(states),
    )
    by_post = exists().where(
        paper_notices.c.notice_id == notices.c.notice_id,
        paper.c.paper_id == paper_notices.c.paper_id,
        paper.c.state.in_(("posted", "served")),
    )
    return by_message | by_post


async def correction_of(conn: AsyncConnection, party_id: UUID) -> Row[Any] | None:
    """The party's correction, once there is one."""
    mine = (notices.c.party_id == party_id) & (notices.c.kind == CORRECTION)
    return (await conn.execute(select(notices).where(mine))).one_or_none()
