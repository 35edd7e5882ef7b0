"""A list leaves as a file: an act that is told of, with who, when, which list, which filters and how many rows."""

from typing import Any, TypeVar

from starlette.responses import Response

from shared.contracts.envelope import Sealed
from shared.contracts.looks import ListExported
from shared.db.transaction import Transaction, new_id
from shared.http.auth import Caller
from shared.http.exports import Written, write
from shared.runtime.service import Kit
from shared.web.lists import Asked, Rows

R = TypeVar("R")


async def export(kit: Kit[Any], caller: Caller, asked: Asked[R], rows_of: Rows[R]) -> Response:
    """The whole list as a file, or as much of it as a file may have. Nothing leaves before it was told of."""
    made = await write(asked.place.export or "csv", asked.heads, asked.lines(rows_of))
    try:
        async with kit.db.begin() as tx:
            await tx.emit(_told(kit, tx, caller, asked, made))
    except BaseException:
        made.file.close()
        raise
    return made.answer(asked.listing.name)


def _told(kit: Kit[Any], tx: Transaction, caller: Caller, asked: Asked[Any], made: Written) -> ListExported:
    look_id, filters = new_id(), "，".join(asked.narrowed)
    return ListExported(
        look_id=look_id,
        by=caller.staff_id,
        by_name=caller.name,
        list_name=asked.listing.name,
        file_kind=made.kind,
        filters=Sealed(kit.exchange.seal(filters, str(look_id))) if filters else None,
        rows=made.rows,
        cut=made.cut,
        exported_at=tx.now,
    )
