"""Imports: the file is kept at once, then worked through case by case, one transaction each.

A group of rows is claimed by its row lock and marked in the transaction that did it: after a crash at any moment
the work goes on with the first group that is not marked, and nothing is done twice. A group at which the work breaks
down is refused, and holds up neither its file nor others; only when the database is away all of them wait.
"""

import asyncio
import logging
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import Row

from services.case_intake.domain.filing import CaseEntry, Filing, PartyEntry
from services.case_intake.domain.rows import DIFFERS, GoodRow, RowFault, case_differences, judge, party_differences
from services.case_intake.domain.sheet import RowGroup, Sheet, read_sheet
from services.case_intake.domain.words import COLUMNS
from services.case_intake.settings import IntakeKit
from services.case_intake.store import cases, imports
from services.case_intake.usecases.filing import Act, Assign, put_on_file
from services.case_intake.usecases.parties import join
from services.case_intake.usecases.records import case_entry, party_entry, present
from shared.crypto.keyring import SealError
from shared.db.failures import is_away, is_passing
from shared.db.transaction import Transaction, new_id
from shared.http.problems import log_unexpected

log = logging.getLogger(__name__)

RECEIVED_SIGNAL = "import_received"
DONE_SIGNAL = "import_done"
SLICE_SECONDS = 20.0
BROKE_DOWN = "系统未能处理这一案件，请联系系统管理员；其他案件不受影响。"


@dataclass(frozen=True)
class Upload:
    """A file as it came."""

    name: str
    content: bytes


def about_group(import_id: UUID, position: int) -> str:
    """What a group's sealed rows are bound to."""
    return f"{import_id}/{position}"


async def receive(kit: IntakeKit, upload: Upload, act: Act) -> UUID:
    """Keep a file, sealed, with its groups of rows; its id. Raises Invalid when the file as a whole is unusable."""
    limit = kit.settings.import_max_rows
    sheet = await asyncio.to_thread(read_sheet, upload.content, kit.court.code, limit)
    import_id = new_id()
    file, groups = await asyncio.to_thread(_sealed, kit, import_id, sheet)
    async with kit.db.begin() as tx:
        values = {
            "id": import_id,
            "file_name": kit.keyring.seal(upload.name, f"{import_id}/name"),
            "file": file,
            "rows": sheet.rows,
            "silent": act.silent,
            "assign": act.assign.value,
            "received_by": act.by,
            "received_at": tx.now,
        }
        await imports.insert_import(tx.conn, values, groups)
        tx.wake(RECEIVED_SIGNAL)
    return import_id


def _sealed(kit: IntakeKit, import_id: UUID, sheet: Sheet) -> tuple[str, list[dict[str, Any]]]:
    groups = [
        {
            "position": position,
            "case_number": group.case_number,
            "rows": kit.keyring.seal_model(group, about_group(import_id, position)),
        }
        for position, group in enumerate(sheet.groups)
    ]
    return kit.keyring.seal(sheet.text, f"{import_id}/file"), groups


async def work_through(kit: IntakeKit) -> None:
    """Work at the files that are not done, for a while: the next call goes on, and health sees progress."""
    ends = asyncio.get_running_loop().time() + SLICE_SECONDS
    async with kit.db.read() as conn:
        waiting = await imports.open_imports(conn)
    for row in waiting:
        try:
            await _work_at(kit, row, ends)
        except SealError:
            async with kit.db.begin() as tx:
                await imports.give_up_import(tx.conn, row.id, tx.now)
                tx.wake(DONE_SIGNAL)


async def _work_at(kit: IntakeKit, row: Row[Any], ends: float) -> None:
    act = Act(row.received_by, Assign(row.assign), row.silent)
    clock = asyncio.get_running_loop().time
    while clock() < ends and await _next_group(kit, row.id, act):
        pass
    async with kit.db.begin() as tx:
        await imports.finish_import(tx.conn, row.id, tx.now)
        tx.wake(DONE_SIGNAL)


async def _next_group(kit: IntakeKit, import_id: UUID, act: Act) -> bool:
    """Do one group; False when none is left. Raises SealError when its rows cannot be opened."""
    row = None
    try:
        async with kit.db.begin() as tx:
            row = await imports.claim_group(tx.conn, import_id)
            if row is not None:
                await _do(kit, tx, row, act)
    except Exception as error:
        if row is None or is_away(error) or is_passing(error):
            raise
        log.warning("a case could not be imported", extra={"import_id": import_id, "position": row.position})
        log_unexpected(error)
        await _refuse(kit, row)
    return row is not None


def _rows_of(kit: IntakeKit, row: Row[Any]) -> RowGroup:
    return kit.keyring.open_model(RowGroup, row.rows, about_group(row.import_id, row.position))


async def _do(kit: IntakeKit, tx: Transaction, row: Row[Any], act: Act) -> None:
    judged = await asyncio.to_thread(judge, _rows_of(kit, row), kit.court.code)
    outcome, faults = await _file(kit, tx, judged.good, act)
    found = sorted((*judged.faults, *faults), key=lambda fault: fault.line)
    await imports.finish_group(tx.conn, row, outcome, [vars(fault) for fault in found])


async def _refuse(kit: IntakeKit, row: Row[Any]) -> None:
    fault = RowFault(_rows_of(kit, row).rows[0].line, "", BROKE_DOWN)
    async with kit.db.begin() as tx:
        again = await imports.claim_group(tx.conn, row.import_id)
        # Another worker may have taken it in the meantime: then its fate is that worker's to tell.
        if again is not None and again.position == row.position:
            await imports.finish_group(tx.conn, row, "refused", [vars(fault)])


async def _file(kit: IntakeKit, tx: Transaction, good: list[GoodRow], act: Act) -> tuple[str, list[RowFault]]:
    if not good:
        return "refused", []
    entry = good[0].case
    filing = Filing(entry, tuple(row.party for row in good))
    if await put_on_file(kit, tx, filing, act) is not None:
        return "filed", []
    number = entry.number.text if entry.number else ""
    case = present(await cases.lock_case(tx.conn, number))
    return await _complete(kit, tx, case, good, act)


async def _complete(
    kit: IntakeKit, tx: Transaction, case: Row[Any], good: list[GoodRow], act: Act
) -> tuple[str, list[RowFault]]:
    """Add the parties that a case on file does not have yet; report what differs, and change none of it."""
    rows = await cases.parties_of(tx.conn, [case.id])
    registered = {entry.same_as: entry for entry in (party_entry(kit, row) for row in rows)}
    faults = _differing(good, registered, case_entry(kit, case))
    new = [row.party for row in good if row.party.same_as not in registered]
    if new:
        await join(kit, tx, case.id, new, silent=act.silent)
    return ("completed" if new else "unchanged"), faults


def _differing(good: list[GoodRow], registered: dict[Any, PartyEntry], case: CaseEntry) -> list[RowFault]:
    found = [(good[0].line, field) for field in case_differences(good[0].case, case)]
    for row in good:
        known = registered.get(row.party.same_as)
        if known is not None:
            found += [(row.line, field) for field in party_differences(row.party, known)]
    return [RowFault(line, COLUMNS[field], DIFFERS) for line, field in found]
