"""An uploaded table is read outside this process."""

import asyncio

from services.case_intake.domain.refusals import NOT_TAKEN
from services.case_intake.domain.sheet import Table, as_table
from services.case_intake.domain.table import read_table
from services.case_intake.settings import IntakeKit
from shared.uploads.apart import Reader, read_apart

TABLE = Reader(read_table, NOT_TAKEN)


async def read_upload(kit: IntakeKit, content: bytes) -> Table:
    """The table that a file holds. Raises Invalid when it is no table of cases as a whole; TooMany."""
    told = await read_apart(TABLE, content, max_rows=kit.settings.import_max_rows)
    return await asyncio.to_thread(as_table, told)
