"""An uploaded file rests sealed until a clerk has seen what it would do: mended on the spot, confirmed, or dropped."""

import asyncio
import hashlib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Row

from services.case_intake.domain.mending import HiddenRows, Mends, mended, new_mends
from services.case_intake.domain.preview import Circumstances, Preview, preview
from services.case_intake.domain.rows import judge
from services.case_intake.domain.sheet import RowGroup, SheetRow, Table, grouped, unhidden
from services.case_intake.settings import IntakeKit
from services.case_intake.store import cases, drafts
from services.case_intake.usecases.faults import FaultView, fault_views
from services.case_intake.usecases.filing import Act, Assign
from services.case_intake.usecases.imports import Upload, asked_about, pack, put_parcel
from services.case_intake.usecases.records import known_case
from services.case_intake.usecases.tables import read_upload
from shared.calendar.workdays import CourtCalendar
from shared.clock import court_date
from shared.db.readable import one, text_of
from shared.db.transaction import new_id
from shared.errors import Conflict, NotFound
from shared.http.auth import Caller
from shared.http.versions import Edit, State, refuse_stale, state
from shared.web.masking import masked

LIFETIME = timedelta(hours=1)
"""By the product's clock."""
_AT_ONCE = 1000


@dataclass(frozen=True)
class Seen:
    """What a file would do. `mark` names just this content: a confirmation is good for nothing else."""

    preview: Preview
    groups: list[RowGroup]
    mark: str


@dataclass(frozen=True)
class DraftView:
    """An unconfirmed file; `faults` ask for something, `notes` for nothing.

    `hidden`: the lines that the file hides, and what the clerk has said of them.
    """

    id: UUID
    file_name: str
    drops_at: datetime
    silent: bool
    assign: str
    hold_minutes: int
    mends: int
    version: str
    seen: Seen
    hidden: list[int]
    hidden_rows: HiddenRows | None
    faults: list[FaultView]
    notes: list[FaultView]

    @property
    def work(self) -> int:
        """How many cases a confirmation would do something for."""
        seen = self.seen.preview
        return seen.filed + seen.completed + seen.corrected


@dataclass(frozen=True)
class DraftLine:
    """An unconfirmed file in the list of them."""

    id: UUID
    file_name: str
    received_by: str | None
    received_at: datetime
    drops_at: datetime
    silent: bool
    mends: int


@dataclass(frozen=True)
class _Draft:
    row: Row[Any]
    name: str
    mends: Mends
    table: Table
    rows: list[SheetRow]

    @property
    def hidden(self) -> list[int]:
        """The lines that the file hides."""
        return [row.line for row in self.table.rows if row.hidden]


async def keep_draft(kit: IntakeKit, upload: Upload, act: Act, hold_minutes: int) -> UUID:
    """Keep a file for an hour; its id. Raises Invalid when the file as a whole is unusable."""
    draft_id, keyring = new_id(), kit.keyring
    table = await read_upload(kit, upload.content)
    sealed = await asyncio.to_thread(keyring.seal_model, table, f"{draft_id}/table")
    async with kit.db.begin() as tx:
        values = {
            "id": draft_id,
            "file_name": keyring.seal(upload.name, f"{draft_id}/name"),
            "table_read": sealed,
            "silent": act.silent,
            "assign": act.assign.value,
            "hold_minutes": hold_minutes,
            "received_by": act.by,
            "received_name": act.by_name,
            "received_at": tx.now,
        }
        await drafts.insert_draft(tx.conn, values)
    return draft_id


async def preview_file(kit: IntakeKit, content: bytes, hidden: HiddenRows, *, silent: bool) -> Preview:
    """What a file would do; nothing is kept. Raises Invalid."""
    table = await read_upload(kit, content)
    rows = unhidden(table.rows) if hidden is HiddenRows.INCLUDE else table.rows
    return (await _see(kit, rows, silent=silent, numbers=())).preview


async def preview_draft(kit: IntakeKit, draft_id: UUID) -> DraftView:
    """What a kept file would do as it is now mended. Raises NotFound."""
    draft = await _open(kit, draft_id)
    seen = await _see(kit, draft.rows, silent=draft.row.silent, numbers=draft.mends.numbers)
    found = fault_views(seen.preview.faults, {row.line: row for row in draft.rows})
    return DraftView(
        id=draft_id,
        file_name=draft.name,
        drops_at=draft.row.received_at + LIFETIME,
        silent=draft.row.silent,
        assign=draft.row.assign,
        hold_minutes=draft.row.hold_minutes,
        mends=len(draft.mends.items),
        version=_mended_state(kit, draft).version,
        seen=seen,
        faults=[fault for fault in found if not fault.note],
        notes=[fault for fault in found if fault.note],
        hidden=draft.hidden,
        hidden_rows=draft.mends.hidden,
    )


async def list_drafts(kit: IntakeKit) -> list[DraftLine]:
    """The files that wait for somebody's confirmation, newest first."""
    async with kit.db.read() as conn:
        rows = await drafts.open_drafts(conn, kit.clock.now() - LIFETIME)
    return [_line(kit, row) for row in rows]


def _line(kit: IntakeKit, row: Row[Any]) -> DraftLine:
    return DraftLine(
        id=row.id,
        file_name=text_of(kit.keyring, row.file_name, f"{row.id}/name"),
        received_by=row.received_name,
        received_at=row.received_at,
        drops_at=row.received_at + LIFETIME,
        silent=row.silent,
        mends=one(row, lambda row: len(_mends(kit, row).items), lambda _: 0),
    )


def _mends(kit: IntakeKit, row: Row[Any]) -> Mends:
    return kit.keyring.open_model(Mends, row.mends, f"{row.id}/mends") if row.mends else Mends()


async def mend_draft(kit: IntakeKit, draft_id: UUID, typed: Mapping[str, str], edit: Edit) -> None:
    """Correct cells; what stays as it is counts for nothing.

    Raises NotFound, Conflict; Stale where another has mended the same cells meanwhile.
    """
    draft = await _open(kit, draft_id)
    new, state_now = new_mends(draft.rows, typed), _mended_state(kit, draft)
    mine = {each.place: each.text for each in new if each.place in state_now.texts}
    refuse_stale(edit, state_now, mine, lambda place, text: masked(place.partition(".")[2], text))
    items = {mend.place: mend for mend in (*draft.mends.items, *new)}
    await _keep(kit, draft, draft.mends.model_copy(update={"items": list(items.values())}))


def _mended_state(kit: IntakeKit, draft: _Draft) -> State:
    """The cells that were mended so far. Who mended them is not kept: the form always names its version."""
    return state(kit.keyring, draft.row.id, {mend.place: mend.text for mend in draft.mends.items}, None)


async def confirm_numbers(kit: IntakeKit, draft_id: UUID) -> None:
    """The far case numbers of the file, as it is now mended, are right. Raises NotFound, Conflict."""
    draft = await _open(kit, draft_id)
    groups = await asked_about(kit, await asyncio.to_thread(grouped, draft.rows, kit.court.code))
    numbers = [group.case_number for group in groups if group.far and group.case_number]
    await _keep(kit, draft, draft.mends.model_copy(update={"numbers": numbers}))


async def decide_hidden(kit: IntakeKit, draft_id: UUID, wish: HiddenRows) -> None:
    """Say what becomes of the rows that the file hides. Raises NotFound, Conflict."""
    draft = await _open(kit, draft_id)
    await _keep(kit, draft, draft.mends.model_copy(update={"hidden": wish}))


async def _keep(kit: IntakeKit, draft: _Draft, mends: Mends) -> None:
    sealed = kit.keyring.seal_model(mends, f"{draft.row.id}/mends")
    async with kit.db.begin() as tx:
        if not await drafts.put_mends(tx.conn, draft.row, sealed):
            raise Conflict("draft_changed", "这份表格刚刚被改正或处理过，请刷新页面后再试。")


async def confirm_draft(kit: IntakeKit, draft_id: UUID, mark: str, caller: Caller) -> bool:
    """File it as it was shown; False when it would now do something else and must be looked at again.

    The import takes the draft's id; confirming it again changes nothing. Raises NotFound; Conflict
    while nobody has said what becomes of the rows that the file hides.
    """
    async with kit.db.read() as conn:
        if await drafts.is_import(conn, draft_id):
            return True
    draft = await _open(kit, draft_id)
    if draft.hidden and draft.mends.hidden is None:
        raise Conflict("hidden_rows_undecided", "表格里有隐藏的行，尚未立案。请先选择这些行是否办理。")
    seen = await _see(kit, draft.rows, silent=draft.row.silent, numbers=draft.mends.numbers)
    if seen.mark != mark:
        return False
    parcel = await asyncio.to_thread(pack, kit, draft_id, draft.name, draft.table, seen.groups)
    act = Act(caller.staff_id, Assign(draft.row.assign), draft.row.silent, by_name=caller.name)
    async with kit.db.begin() as tx:
        taken = await drafts.take_draft(tx.conn, draft.row)
        if taken:
            await put_parcel(tx, parcel, act, draft.row.hold_minutes)
        return taken or await drafts.is_import(tx.conn, draft_id)


async def drop_draft(kit: IntakeKit, draft_id: UUID) -> None:
    """Throw an unconfirmed file away; one that is gone already may be dropped again."""
    async with kit.db.begin() as tx:
        await drafts.drop_draft(tx.conn, draft_id)


async def drop_old_drafts(kit: IntakeKit) -> None:
    """Throw away what nobody confirmed within the hour."""
    async with kit.db.begin() as tx:
        await drafts.drop_drafts(tx.conn, tx.now - LIFETIME)


async def _open(kit: IntakeKit, draft_id: UUID) -> _Draft:
    async with kit.db.read() as conn:
        row = await drafts.find_draft(conn, draft_id, kit.clock.now() - LIFETIME)
    if row is None:
        raise NotFound("draft_not_found", "这份待确认的表格已过一小时或已处理。请查看导入记录，或重新上传。")
    return await asyncio.to_thread(_opened, kit, row)


def _opened(kit: IntakeKit, row: Row[Any]) -> _Draft:
    keyring = kit.keyring
    table = keyring.open_model(Table, row.table_read, f"{row.id}/table")
    mends = _mends(kit, row)
    rows = unhidden(table.rows) if mends.hidden is HiddenRows.INCLUDE else table.rows
    return _Draft(row, keyring.open(row.file_name, f"{row.id}/name"), mends, table, mended(rows, mends.items))


async def _see(kit: IntakeKit, rows: Sequence[SheetRow], *, silent: bool, numbers: Collection[str]) -> Seen:
    """`numbers`: far case numbers that the clerk has confirmed."""
    groups = await asked_about(kit, await asyncio.to_thread(grouped, rows, kit.court.code), numbers)
    on_file, parties = await _on_file(kit, [group.case_number for group in groups if group.case_number])
    now = Circumstances(court_date(kit.clock.now()), CourtCalendar(), silent)

    def look() -> Seen:
        known = {case.case_number: known_case(kit, case, parties[case.id]) for case in on_file}
        judged = [(group, judge(group, kit.court.code, now.today)) for group in groups]
        found, confirmed = preview(judged, known, now)
        return Seen(found, confirmed, _mark(confirmed))

    return await asyncio.to_thread(look)


async def _on_file(kit: IntakeKit, numbers: Sequence[str]) -> tuple[list[Row[Any]], dict[UUID, list[Row[Any]]]]:
    """The cases on file among some numbers, and their parties, of one moment."""
    on_file: list[Row[Any]] = []
    parties: dict[UUID, list[Row[Any]]] = {}
    async with kit.db.read() as conn:
        for at in range(0, len(numbers), _AT_ONCE):
            found = await cases.cases_numbered(conn, numbers[at : at + _AT_ONCE])
            on_file += found
            parties |= {case.id: [] for case in found}
            for party in await cases.parties_of(conn, [case.id for case in found], misfiled=True):
                parties[party.case_id].append(party)
    return on_file, parties


def _mark(groups: Sequence[RowGroup]) -> str:
    digest = hashlib.sha256()
    for group in groups:
        digest.update(group.model_dump_json().encode())
    return digest.hexdigest()
