"""The parties' doors, what is shown behind them, and what the public pages take in.

The public pages' process reads and writes nothing else of the parties: all of it is sealed, or a keyed hash.
"""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, delete, insert, select, true, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncConnection

from services.party_notification.store.tables import (
    disownings,
    doors,
    parties,
    party_pages,
    party_sheets,
    stale_pages,
)
from shared.db.aside import Stream

WANTED = Stream("doors", parties, parties.c.party_id, parties.c.door_due, parties.c.party_id)
"""Parties whose door is to be made."""
DISOWNED = Stream("disownings", disownings, disownings.c.id, true(), disownings.c.id)
"""Addresses of which somebody says that they are not the party's."""


async def party(conn: AsyncConnection, party_id: UUID) -> Row[Any]:
    """The party behind a door."""
    return (await conn.execute(select(parties).where(parties.c.party_id == party_id))).one()


async def put(conn: AsyncConnection, row: dict[str, Any]) -> None:
    """The party's door as it now is; what was sealed for an older one is sealed anew."""
    values = {name: value for name, value in row.items() if name != "party_id"}
    await conn.execute(upsert(doors).values(row).on_conflict_do_update(index_elements=["party_id"], set_=values))
    await conn.execute(update(parties).where(parties.c.party_id == row["party_id"]).values(door_due=False))


async def ask_for(conn: AsyncConnection, party_ids: Collection[UUID]) -> None:
    """These parties need a door, if they have none."""
    lacking = parties.c.party_id.in_(party_ids) & parties.c.party_id.not_in(select(doors.c.party_id))
    await conn.execute(update(parties).where(lacking).values(door_due=True))


async def close(conn: AsyncConnection, party_id: UUID) -> None:
    """Nobody comes in as this party any more. Its code is still known: whoever got it may say that it is not theirs."""
    await conn.execute(update(doors).where(doors.c.party_id == party_id).values(closed=True))
    for table in (party_pages, party_sheets):
        await conn.execute(delete(table).where(table.c.party_id == party_id))


QUERY_CODE = "query code"
"""What the keyed hash is for by which a door is found."""
FOUND = ("party_id", "case_id", "code_index", "salt", "public_key", "locked_key", "closed")
"""What the public pages read of a door."""


async def find(conn: AsyncConnection, code_indexes: Collection[str]) -> Row[Any] | None:
    """The door that a query code belongs to."""
    query = select(*(doors.c[name] for name in FOUND)).where(doors.c.code_index.in_(code_indexes))
    return (await conn.execute(query)).one_or_none()


def unkept(current: str) -> Stream:
    """Doors of before their code was kept, which are found under another key than the current one."""
    other = doors.c.code.is_(None) & ~doors.c.code_index.startswith(f"{current}.", autoescape=True)
    return Stream("codes", doors, doors.c.party_id, other, doors.c.party_id)


async def hash_anew(conn: AsyncConnection, party_id: UUID, code: str, code_index: str) -> None:
    """The door is found by this hash now, and its code is kept, sealed."""
    values = {"code": code, "code_index": code_index}
    await conn.execute(update(doors).where(doors.c.party_id == party_id).values(values))


async def of_case(conn: AsyncConnection, case_id: UUID) -> dict[UUID, Row[Any]]:
    """The doors of a case, by party."""
    rows = await conn.execute(select(doors).where(doors.c.case_id == case_id))
    return {row.party_id: row for row in rows}


async def claim_stale(conn: AsyncConnection, now: datetime, limit: int) -> list[UUID]:
    """Cases whose pages are to be written anew: something changed, or may be shown by now."""
    due = update(party_pages).where(party_pages.c.refresh_at <= now).values(refresh_at=None)
    found = set((await conn.execute(due.returning(party_pages.c.case_id))).scalars())
    mine = select(stale_pages.c.id).order_by(stale_pages.c.id).limit(limit).with_for_update(skip_locked=True)
    gone = delete(stale_pages).where(stale_pages.c.id.in_(mine.scalar_subquery()))
    return sorted(found | set((await conn.execute(gone.returning(stale_pages.c.case_id))).scalars()))


async def make_stale(conn: AsyncConnection, case_id: UUID) -> None:
    """The pages of the case are to be written anew."""
    await conn.execute(insert(stale_pages).values(case_id=case_id))


async def put_page(conn: AsyncConnection, row: dict[str, Any]) -> None:
    """What the party's page shows."""
    values = {name: value for name, value in row.items() if name != "party_id"}
    await conn.execute(upsert(party_pages).values(row).on_conflict_do_update(index_elements=["party_id"], set_=values))


async def page_of(conn: AsyncConnection, party_id: UUID) -> str | None:
    """What the party's page shows, sealed."""
    return (
        await conn.execute(select(party_pages.c.page).where(party_pages.c.party_id == party_id))
    ).scalar_one_or_none()


async def sheets_of(conn: AsyncConnection, party_id: UUID) -> dict[UUID, str]:
    """For which key each letter of a party is sealed."""
    query = select(party_sheets.c.notice_id, party_sheets.c.key_id).where(party_sheets.c.party_id == party_id)
    return {row.notice_id: row.key_id for row in await conn.execute(query)}


async def put_sheets(conn: AsyncConnection, rows: Sequence[dict[str, Any]]) -> None:
    """Letters, sealed for their party."""
    if rows:
        statement = upsert(party_sheets)
        changed = {name: statement.excluded[name] for name in ("key_id", "sheet")}
        await conn.execute(statement.on_conflict_do_update(index_elements=["notice_id"], set_=changed), rows)


async def sheet_of(conn: AsyncConnection, party_id: UUID, notice_id: UUID) -> str | None:
    """A party's letter, sealed."""
    query = select(party_sheets.c.sheet).where(party_sheets.c.notice_id == notice_id)
    return (await conn.execute(query.where(party_sheets.c.party_id == party_id))).scalar_one_or_none()


async def add_disownings(conn: AsyncConnection, party_id: UUID, address_ids: Collection[UUID]) -> None:
    """Whoever holds these addresses says that they are not the party."""
    rows = [{"party_id": party_id, "address_id": address_id} for address_id in address_ids]
    await conn.execute(insert(disownings), rows)


async def take_off(conn: AsyncConnection, disowning_id: int) -> tuple[UUID, UUID]:
    """One that is followed now, off the list: the party and the address."""
    gone = delete(disownings).where(disownings.c.id == disowning_id)
    row = (await conn.execute(gone.returning(disownings.c.party_id, disownings.c.address_id))).one()
    return row.party_id, row.address_id
