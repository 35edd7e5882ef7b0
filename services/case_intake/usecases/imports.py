"""Imports: the file is kept at once, then worked through case by case, one transaction each.

A group of rows is claimed by its row lock and marked in the transaction that did it: after a crash at any moment
the work goes on with the first group that is not marked, and nothing is done twice. A group at which the work breaks
down is refused, and holds up neither its file nor others; only when the database is away all of them wait.
"""

import asyncio
import logging
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from sqlalchemy import Row

from services.case_intake.domain.filing import Filing
from services.case_intake.domain.holds import Hold
from services.case_intake.domain.mending import HiddenRows
from services.case_intake.domain.numbers import CaseNumber, far_numbers
from services.case_intake.domain.rows import Judged, RowFault, judge
from services.case_intake.domain.sheet import Change, RowGroup, Table, grouped, unhidden
from services.case_intake.domain.weighing import Weighed, only_approved, weigh
from services.case_intake.settings import IntakeKit
from services.case_intake.store import cases, imports
from services.case_intake.usecases.filing import Act, Assign, Doubt, Once, answered, correct, put_on_file
from services.case_intake.usecases.holds import hold_of
from services.case_intake.usecases.parties import Told, alter, join
from services.case_intake.usecases.records import known_case, party_entry, present
from services.case_intake.usecases.tables import read_upload
from shared.clock import court_date
from shared.crypto.sealed import SealError
from shared.db.answers import remember
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


@dataclass(frozen=True)
class Task:
    """How the cases of a file are filed, and how long their notices stay."""

    act: Act
    hold: Hold


def about_group(import_id: UUID, position: int) -> str:
    """What a group's sealed rows are bound to."""
    return f"{import_id}/{position}"


@dataclass(frozen=True)
class Parcel:
    """A file to be worked through: sealed, as its rows in the database. `hold_minutes`: how long nobody is told."""

    import_id: UUID
    values: dict[str, Any]
    groups: list[dict[str, Any]]


async def receive(
    kit: IntakeKit,
    upload: Upload,
    act: Act,
    hold_minutes: int = 0,
    once: Once | None = None,
    hidden: HiddenRows = HiddenRows.LEAVE,
) -> UUID:
    """Keep a file, sealed, with its groups of rows; its id. The same request again gets the same id, unread.

    Raises Invalid when the file as a whole is unusable, Conflict for a key that is taken.
    """
    scope = f"import_cases/{act.by}"
    async with kit.db.begin() as tx:
        before = await answered(tx, scope, once)
    if before is not None:
        return UUID(before["id"])
    table = await read_upload(kit, upload.content)
    rows = unhidden(table.rows) if hidden is HiddenRows.INCLUDE else table.rows
    groups = await asyncio.to_thread(grouped, rows, kit.court.code)
    if Doubt.SERIAL_FAR not in act.confirmed:
        groups = await asked_about(kit, groups)
    parcel = await asyncio.to_thread(pack, kit, new_id(), upload.name, table, groups)
    async with kit.db.begin() as tx:
        before = await answered(tx, scope, once)
        if before is not None:
            return UUID(before["id"])
        await put_parcel(tx, parcel, act, hold_minutes)
        if once is not None:
            await remember(tx, scope, once.key, once.mark, {"id": str(parcel.import_id)})
    return parcel.import_id


async def asked_about(kit: IntakeKit, groups: Sequence[RowGroup], confirmed: Collection[str] = ()) -> list[RowGroup]:
    """The groups, marked where the number lies far beyond its series, is not on file and not among `confirmed`."""
    court = kit.court.code
    async with kit.db.read() as conn:
        lasts = await cases.last_serials(conn, court)
        numbers = [CaseNumber.parse(group.case_number, court) for group in groups if group.case_number]
        far = far_numbers(numbers, lasts).difference(confirmed)
        far -= {row.case_number for row in await cases.cases_numbered(conn, sorted(far))}
    return [group.model_copy(update={"far": group.case_number in far}) for group in groups]


def pack(kit: IntakeKit, import_id: UUID, name: str, table: Table, groups: Sequence[RowGroup]) -> Parcel:
    """Seal a file and its groups of rows."""
    values = {
        "id": import_id,
        "file_name": kit.keyring.seal(name, f"{import_id}/name"),
        "file": kit.keyring.seal(table.text, f"{import_id}/file"),
        "rows": len(table.rows),
    }
    sealed = [
        {
            "position": position,
            "case_number": group.case_number,
            "rows": kit.keyring.seal_model(group, about_group(import_id, position)),
        }
        for position, group in enumerate(groups)
    ]
    return Parcel(import_id, values, sealed)


async def put_parcel(tx: Transaction, parcel: Parcel, act: Act, hold_minutes: int) -> None:
    """Keep what was sealed; the work begins when the transaction is committed."""
    how = {
        "silent": act.silent,
        "assign": act.assign.value,
        "hold_minutes": 0 if act.silent else hold_minutes,
        "received_by": act.by,
        "received_name": act.by_name,
        "received_at": tx.now,
    }
    await imports.insert_import(tx.conn, {**parcel.values, **how}, parcel.groups)
    tx.wake(RECEIVED_SIGNAL)


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
    task = Task(Act(row.received_by, Assign(row.assign), row.silent), hold_of(row))
    clock = asyncio.get_running_loop().time
    while clock() < ends and await _next_group(kit, row.id, task):
        pass
    async with kit.db.begin() as tx:
        await imports.finish_import(tx.conn, row.id, tx.now)
        tx.wake(DONE_SIGNAL)


async def _next_group(kit: IntakeKit, import_id: UUID, task: Task) -> bool:
    """Do one group; False when none is left. Raises SealError when its rows cannot be opened."""
    row = None
    try:
        async with kit.db.begin() as tx:
            row = await imports.claim_group(tx.conn, import_id)
            if row is not None:
                await _do(kit, tx, row, task)
    except Exception as error:
        if row is None or is_away(error) or is_passing(error):
            raise
        log.warning("a case could not be imported", extra={"import_id": import_id, "position": row.position})
        log_unexpected(error)
        await _refuse(kit, row)
    return row is not None


def _rows_of(kit: IntakeKit, row: Row[Any]) -> RowGroup:
    return kit.keyring.open_model(RowGroup, row.rows, about_group(row.import_id, row.position))


async def _do(kit: IntakeKit, tx: Transaction, row: Row[Any], task: Task) -> None:
    group = _rows_of(kit, row)
    judged = await asyncio.to_thread(judge, group, kit.court.code, court_date(tx.now))
    act = replace(task.act, hold_until=task.hold.until(tx.now), through=row.import_id)
    weighed, case_id = await _file(kit, tx, judged, group.approved, act)
    found = sorted(weighed.faults, key=lambda fault: fault.line)
    faults = [vars(fault) for fault in found]
    await imports.finish_group(tx.conn, row, weighed.outcome, faults, case_id)


async def _refuse(kit: IntakeKit, row: Row[Any]) -> None:
    fault = RowFault(_rows_of(kit, row).rows[0].line, "", BROKE_DOWN)
    async with kit.db.begin() as tx:
        again = await imports.claim_group(tx.conn, row.import_id)
        # Another worker may have taken it in the meantime: then its fate is that worker's to tell.
        if again is not None and again.position == row.position:
            await imports.finish_group(tx.conn, row, "refused", [vars(fault)])


async def _file(
    kit: IntakeKit, tx: Transaction, judged: Judged, approved: Sequence[Change], act: Act
) -> tuple[Weighed, UUID | None]:
    """What was done, and the case when that makes notices due."""
    new = weigh(judged, None)
    if new.outcome == "refused":
        return new, None
    entry = judged.good[0].case
    answer = await put_on_file(kit, tx, Filing(entry, new.joining), act)
    if answer is not None:
        return new, UUID(answer["id"])
    case = present(await cases.lock_case(tx.conn, entry.number.text if entry.number else ""))
    rows = await cases.parties_of(tx.conn, [case.id], misfiled=True)
    weighed = only_approved(weigh(judged, known_case(kit, case, rows)), approved)
    registered = {party_entry(kit, row).same_as: row for row in rows if row.misfiled_at is None}
    at_lines = {row.line: registered[row.party.same_as] for row in judged.good if row.party.same_as in registered}
    await _correct(kit, tx, case, at_lines, weighed.changes, act.corrector)
    if weighed.joining:
        await join(kit, tx, case.id, weighed.joining, Told(act.silent, act.hold_until))
    return weighed, case.id if weighed.joining else None


async def _correct(
    kit: IntakeKit,
    tx: Transaction,
    case: Row[Any],
    parties: Mapping[int, Row[Any]],
    changes: Sequence[Change],
    by: UUID,
) -> None:
    """Make the changes that a clerk has confirmed, as if they had been made one by one on the case's page.

    `parties`: those on file, by the line that names them.
    """
    facts = {change.field: change.new for change in changes if not change.about}
    if facts:
        await correct(kit, tx, case, facts, by)
    for line, party in parties.items():
        facts = {change.field: change.new for change in changes if change.about and change.line == line}
        if facts:
            await alter(kit, tx, case, party, facts, by)
