"""Execution notices, each on its own; the party's row keeps what stands by all of them."""

from typing import Any
from uuid import UUID

from sqlalchemy import bindparam, select, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncConnection

from services.stage_tracking.domain.serving import Standing
from services.stage_tracking.store.tables import execution_notices, parties

_OF_PARTY = (
    select(
        parties.c.notice_sent_at,
        parties.c.notice_served_on,
        execution_notices.c.notice_id,
        execution_notices.c.sent_at,
        execution_notices.c.served_on,
    )
    .join(execution_notices, execution_notices.c.party_id == parties.c.party_id, isouter=True)
    .where(parties.c.party_id == bindparam("party"))
)


def party_standing(row: Any) -> Standing:
    """What stands of a party, from its row."""
    return Standing(row.notice_sent_at, row.notice_served_on)


async def of_party(conn: AsyncConnection, party_id: UUID) -> tuple[Standing, dict[UUID, Standing]] | None:
    """What stands of the party, and of each of its notices; None when the party is not known."""
    rows = list(await conn.execute(_OF_PARTY, {"party": party_id}))
    if not rows:
        return None
    notices = {row.notice_id: Standing(row.sent_at, row.served_on) for row in rows if row.notice_id is not None}
    return party_standing(rows[0]), notices


async def put(conn: AsyncConnection, notice_id: UUID, party_id: UUID, standing: Standing) -> None:
    """What stands of a notice now."""
    values = {"sent_at": standing.sent_at, "served_on": standing.served_on}
    row = upsert(execution_notices).values(notice_id=notice_id, party_id=party_id, **values)
    await conn.execute(row.on_conflict_do_update(index_elements=["notice_id"], set_=values))


async def set_issued(conn: AsyncConnection, party_id: UUID, *, orders_report: bool) -> bool:
    """The party's execution notice is written, and whether it orders a report; False when the party is not known."""
    values = {"notice_orders_report": orders_report}
    return (await conn.execute(update(parties).where(parties.c.party_id == party_id).values(values))).rowcount == 1


async def set_party(conn: AsyncConnection, party_id: UUID, standing: Standing) -> None:
    """What stands of a party now."""
    values = {"notice_sent_at": standing.sent_at, "notice_served_on": standing.served_on}
    await conn.execute(update(parties).where(parties.c.party_id == party_id).values(values))
