"""Receipts of the carrier, kept and matched many at a time."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    Boolean,
    Row,
    Select,
    Table,
    Text,
    Update,
    Uuid,
    any_,
    bindparam,
    delete,
    insert,
    select,
    true,
    update,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncConnection

from services.party_notification.store.tables import deliveries, faulty_receipts, receipt_posts, receipts
from shared.db.arrays import Columns, arrays, unnested
from shared.db.aside import Stream

_SPEAKING: Columns = {"mark": Text, "provider_id": Text, "out_id": Text, "address_id": Uuid}
_RECEIPT: Columns = {
    **dict.fromkeys(("mark", "provider", "provider_id", "raw"), Text),
    "address_id": Uuid,
    "delivered": Boolean,
}
_MATCH: Columns = {"id": BigInteger, "delivery_id": Uuid}


def _set_delivery() -> Update:
    given = unnested(_MATCH)
    return update(receipts).where(receipts.c.id == given.c.id).values(delivery_id=given.c.delivery_id)


def _deliveries_of() -> Select[Any]:
    given = unnested(_SPEAKING)
    left = deliveries.c.channel == "sms", deliveries.c.out_id.is_not(None)
    ours = (deliveries.c.provider_id == given.c.provider_id) | (deliveries.c.out_id == given.c.out_id)
    query = select(deliveries.c.delivery_id, deliveries.c.message_id)
    query = query.where(deliveries.c.address_id == given.c.address_id, *left, ours)
    newest = query.order_by(deliveries.c.planned_at.desc()).limit(1).lateral("newest")
    return select(given.c.mark, newest.c.delivery_id, newest.c.message_id).select_from(given.join(newest, true()))


_SET_DELIVERY, _DELIVERIES_OF = _set_delivery(), _deliveries_of()
_KEEP = (
    upsert(receipts)
    .from_select(list(_RECEIPT), select(unnested(_RECEIPT)))
    .on_conflict_do_nothing()
    .returning(receipts.c.id, receipts.c.mark)
)


async def keep_post(conn: AsyncConnection, about: UUID, sealed: str) -> None:
    """What the carrier sent, as the public process seals it."""
    await conn.execute(insert(receipt_posts).values(about=about, sealed=sealed))


POSTS = Stream("receipts", receipt_posts, receipt_posts.c.id, true(), receipt_posts.c.id)
"""What the carrier sent and nobody has folded in."""


async def post(conn: AsyncConnection, post_id: int) -> Row[Any] | None:
    """One of them."""
    return (await conn.execute(select(receipt_posts).where(receipt_posts.c.id == post_id))).one_or_none()


async def drop_post(conn: AsyncConnection, post_id: int) -> None:
    """It is folded in."""
    await conn.execute(delete(receipt_posts).where(receipt_posts.c.id == post_id))


async def known(conn: AsyncConnection, marks: Sequence[str]) -> set[str]:
    """Which of these marks receipts have that came before."""
    return await _there(conn, receipts, marks)


async def known_faulty(conn: AsyncConnection, marks: Sequence[str]) -> set[str]:
    """As `known`, of those that could not be read."""
    return await _there(conn, faulty_receipts, marks)


async def _there(conn: AsyncConnection, table: Table, marks: Sequence[str]) -> set[str]:
    given = bindparam(None, list(marks), type_=ARRAY(Text))
    return set((await conn.execute(select(table.c.mark).where(table.c.mark == any_(given)))).scalars())


async def keep(conn: AsyncConnection, rows: Sequence[Mapping[str, Any]]) -> dict[str, int]:
    """Keep receipts as they came: the ids by mark of those that had not come before."""
    found = await conn.execute(_KEEP, arrays(_RECEIPT, rows)) if rows else ()
    return {row.mark: row.id for row in found}


async def keep_faulty(conn: AsyncConnection, rows: Sequence[Mapping[str, Any]]) -> int:
    """Keep what could not be read; how many had not come before."""
    put = upsert(faulty_receipts).values([*rows]).on_conflict_do_nothing().returning(faulty_receipts.c.mark)
    return len((await conn.execute(put)).all())


async def match(conn: AsyncConnection, found: Mapping[int, UUID]) -> None:
    """Each receipt belongs to this delivery."""
    rows = [{"id": receipt_id, "delivery_id": delivery_id} for receipt_id, delivery_id in found.items()]
    await conn.execute(_SET_DELIVERY, arrays(_MATCH, rows))


async def deliveries_of(conn: AsyncConnection, rows: Sequence[Mapping[str, Any]]) -> list[Row[Any]]:
    """By mark, the delivery that a receipt speaks of: by the carrier's batch id and the number, else by our own id."""
    return list(await conn.execute(_DELIVERIES_OF, arrays(_SPEAKING, rows))) if rows else []


async def orphans(conn: AsyncConnection, provider_ids: Sequence[str]) -> list[Row[Any]]:
    """Receipts of batches that came before the carrier's own answer was written down."""
    if not provider_ids:
        return []
    here = receipts.c.provider_id.in_(provider_ids) & receipts.c.delivery_id.is_(None)
    return list(await conn.execute(select(receipts).where(here).order_by(receipts.c.id)))
