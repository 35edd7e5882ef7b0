"""How the court's confirmed data reaches every process: an event, kept in each service's database, followed by each.

The environment's values are the first version; what two people have confirmed in the product holds after it.
"""

from typing import Any

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert as upsert

from shared.contracts.envelope import Envelope
from shared.contracts.staff import CourtDataChanged
from shared.db.tables import court_data
from shared.db.transaction import Transaction
from shared.settings import CourtChange

SIGNAL = "court_data"


async def on_court_data_changed(tx: Transaction, event: Any, _envelope: Envelope) -> None:
    """Keep what was told last."""
    told: CourtDataChanged = event
    row = upsert(court_data).values(only=1, told=told.model_dump(mode="json"))
    await tx.conn.execute(row.on_conflict_do_update(index_elements=["only"], set_={"told": row.excluded.told}))
    tx.wake(SIGNAL)


class CourtFollower:
    """Brings this process's view of the court up to what the service's database holds."""

    def __init__(self, kit: Any) -> None:
        self._kit = kit

    async def step(self) -> None:
        """Read it once."""
        async with self._kit.db.read() as conn:
            found = (await conn.execute(select(court_data.c.told))).scalar_one_or_none()
        if found is not None:
            told = CourtDataChanged.model_validate(found)
            change = CourtChange(told.state, told.fields, told.proposer, told.decider, told.at)
            self._kit.court.follow(told.data.model_dump(), change)
