"""Deleting much in portions: no statement runs into the time limit, none keeps many rows locked."""

from sqlalchemy import Delete

from shared.db.transaction import Database

PORTION = 5_000


async def delete_in_portions(db: Database, portion: Delete) -> None:
    """Repeat a delete that takes at most `PORTION` rows until it finds none, each time in its own transaction."""
    while True:
        async with db.begin() as tx:
            if (await tx.conn.execute(portion)).rowcount == 0:
                return
