"""What staff read: lists of cases, one case whole, imports and their reports."""

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import Row

from services.case_intake.domain.filing import CASE_FIELDS, PartyEntry, lacking, own_fields
from services.case_intake.domain.holds import NoticesState
from services.case_intake.domain.rows import RowFault
from services.case_intake.settings import IntakeKit
from services.case_intake.store import cases, imports
from services.case_intake.store.cases import Wanted
from services.case_intake.usecases.holds import hold_of
from services.case_intake.usecases.imports import DONE_SIGNAL
from services.case_intake.usecases.records import (
    assignment_state,
    case_entry,
    case_state,
    party_entry,
    party_state,
    present,
)
from shared.contracts.case_kinds import CaseKind, Particulars, kind_of
from shared.contracts.case_number import reference
from shared.contracts.cases import Officer, PartyRole
from shared.contracts.reviews import ReviewGround
from shared.db.lists import Part
from shared.db.readable import one
from shared.errors import NotFound
from shared.web.masking import masked_identity


@dataclass(frozen=True)
class PartyView:
    """A party, masked unless somebody looked. `disowned`: contacts whose holder says to be another (sms, mail)."""

    id: UUID
    entry: PartyEntry
    disowned: list[str]
    misfiled_at: datetime | None
    version: str


@dataclass(frozen=True)
class Related:
    """A case that belongs to another."""

    id: UUID
    case_number: str


@dataclass(frozen=True)
class CaseView:
    """A case as staff see it. `states`: whether unreadable or incomplete, and how far; `lacks`: roles, the obligation.

    `misfiled`: who was registered by mistake; `recalled_with`: the import with which its notices were recalled.
    The versions are only those of a case that is shown whole.
    """

    id: UUID
    case_number: str
    filed_on: date
    received_on: date | None
    basis_document: str
    basis_maker: str
    cause: str
    claim_amount: Decimal | None
    obligation: str | None
    silent: bool
    states: list[str]
    lacks: list[str]
    judge: Officer | None
    clerk_name: str | None
    panel: str | None
    department: str | None
    rule: str | None
    assigned_at: datetime | None
    awaits_rule: bool
    parties: list[PartyView]
    misfiled: list[PartyView]
    non_litigation: bool = False
    main_case: str | None = None
    urgent: bool = False
    secured_on: date | None = None
    ground: ReviewGround | None = None
    report_ordered: bool = False
    recalled_with: UUID | None = None
    version: str = ""
    assignment_version: str = ""
    side_cases: Sequence[Related] = ()

    @property
    def kind(self) -> CaseKind:
        """What kind of case its number says it is."""
        return kind_of(self.case_number, Particulars(self.urgent, self.ground, self.report_ordered))

    @property
    def own_fields(self) -> tuple[str, ...]:
        """The facts that only cases of its kind have."""
        return own_fields(self.kind)

    def names(self, role: PartyRole) -> list[str]:
        """The names of those who stand in a role."""
        return [party.entry.identity.name for party in self.parties if party.entry.role is role]


@dataclass(frozen=True)
class ImportView:
    """How far an import is. `state`: queued, running, done, unreadable."""

    id: UUID
    file_name: str
    state: str
    received_by: str | None
    received_at: datetime
    done_at: datetime | None
    silent: bool
    assign: str
    rows: int
    cases: int
    done_cases: int
    filed: int
    completed: int
    corrected: int
    unchanged: int
    hold_minutes: int
    notices: NoticesState
    hold_ends_at: datetime


def _view(kit: IntakeKit, row: Row[Any], parties: Iterable[Row[Any]]) -> CaseView:
    def opened(row: Row[Any]) -> CaseView:
        return _shown(row, case_entry(kit, row).obligation, [_party_view(kit, party) for party in parties])

    def closed(row: Row[Any]) -> CaseView:
        view = _shown(row, None, [])
        return replace(view, states=["unreadable", *view.states])

    return one(row, opened, closed)


def _shown(row: Row[Any], obligation: str | None, views: Sequence[PartyView]) -> CaseView:
    """`obligation` and `views` come opened; all else lies open in the row."""
    roles, assigned = cases.roles_of(row), row.judge_id is not None
    lacks = lacking(kind_of(row.case_number), roles, row.obligation)
    incomplete = ["incomplete"] if set(lacks) & set(PartyRole) else []
    judge = Officer(staff_id=row.judge_id, name=row.judge_name, phone=row.judge_phone) if assigned else None
    return CaseView(
        **{field: getattr(row, field) for field in CASE_FIELDS if field not in {"obligation", "ground"}},
        ground=None if row.ground is None else ReviewGround(row.ground),
        id=row.id,
        case_number=row.case_number,
        obligation=obligation,
        silent=row.silent,
        states=[*incomplete, how_far(row)],
        lacks=lacks,
        judge=judge,
        clerk_name=row.clerk_name,
        panel=row.panel,
        department=row.department,
        rule=row.rule,
        assigned_at=row.assigned_at,
        awaits_rule=row.awaits_rule,
        parties=[view for view in views if view.misfiled_at is None],
        misfiled=[view for view in views if view.misfiled_at is not None],
    )


def how_far(row: Row[Any]) -> str:
    """Whether it has a judge, is closed or archived."""
    if row.archived:
        return "archived"
    if not row.open:
        return "closed"
    return "unassigned" if row.judge_id is None else "assigned"


def _party_view(kit: IntakeKit, row: Row[Any]) -> PartyView:
    """Masked: whoever needs more looks (usecases.looking)."""
    entry = party_entry(kit, row)
    return _seen(kit, row, replace(entry, identity=masked_identity(entry.identity)))


def full_party_view(kit: IntakeKit, row: Row[Any]) -> PartyView:
    """With full particulars: only within a look."""
    return _seen(kit, row, party_entry(kit, row))


def _seen(kit: IntakeKit, row: Row[Any], entry: PartyEntry) -> PartyView:
    doubts = {"sms": row.phone_disowned_at, "mail": row.email_disowned_at}
    disowned = [channel for channel, since in doubts.items() if since is not None]
    return PartyView(row.id, entry, disowned, row.misfiled_at, party_state(kit, row).version)


async def read_case(kit: IntakeKit, case: UUID | str) -> CaseView:
    """One case by id or number (as it was typed), with its parties, masked. Raises NotFound."""
    here = reference(case) if isinstance(case, str) else case
    async with kit.db.read() as conn:
        row = present(await cases.find_case(conn, here))
        parties = await cases.parties_of(conn, [row.id], misfiled=True)
        recalled_with = await imports.recalled_with(conn, row.id)
        related = await cases.belonging_to(conn, row.case_number)
    return replace(
        _view(kit, row, parties),
        recalled_with=recalled_with,
        side_cases=[Related(each.id, each.case_number) for each in related],
        version=one(row, lambda row: case_state(kit, row).version, lambda _: ""),
        assignment_version=assignment_state(kit, row).version,
    )


async def list_cases(kit: IntakeKit, wanted: Wanted, part: Part) -> tuple[list[CaseView], str | None]:
    """Some cases, and where the list goes on."""
    async with kit.db.read() as conn:
        rows, after = await cases.list_cases(conn, wanted, part)
        parties = await cases.parties_of(conn, [row.id for row in rows])
    of_case: dict[UUID, list[Row[Any]]] = {row.id: [] for row in rows}
    for party in parties:
        of_case[party.case_id].append(party)
    return [_view(kit, row, of_case[row.id]) for row in rows], after


async def count_states(kit: IntakeKit) -> dict[str, int]:
    """How many cases are in each state."""
    async with kit.db.read() as conn:
        return await cases.count_states(conn)


def _import_view(kit: IntakeKit, row: Row[Any]) -> ImportView:
    if row.done_at is not None:
        state = "unreadable" if row.unreadable else "done"
    else:
        state = "running" if row.started else "queued"
    counted = ("rows", "cases", "done_cases", "filed", "completed", "corrected", "unchanged", "hold_minutes")
    now, hold = kit.clock.now(), hold_of(row)
    return ImportView(
        id=row.id,
        file_name=one(row, lambda row: kit.keyring.open(row.file_name, f"{row.id}/name"), lambda _: "（无法读取）"),
        state=state,
        received_by=row.received_name,
        received_at=row.received_at,
        done_at=row.done_at,
        silent=row.silent,
        assign=row.assign,
        notices=hold.state(now),
        hold_ends_at=hold.ends_at(now),
        **{name: getattr(row, name) for name in counted},
    )


async def read_import(kit: IntakeKit, import_id: UUID) -> tuple[ImportView, list[RowFault]]:
    """An import's progress and the faults found so far. Raises NotFound."""
    async with kit.db.read() as conn:
        row = await imports.find_import(conn, import_id)
        if row is None:
            raise NotFound("import_not_found", "没有这次导入，请从导入记录中选择。")
        return _import_view(kit, row), [fault_of(fault) for fault in await imports.faults_of(conn, import_id)]


def fault_of(row: Row[Any]) -> RowFault:
    """A fault as it is kept."""
    return RowFault(row.line, row.column, row.reason, row.case_number, row.note)


async def list_imports(kit: IntakeKit, wanted: imports.Wanted, part: Part) -> tuple[list[ImportView], str | None]:
    """Imports, newest first unless asked otherwise, and where the list goes on."""
    async with kit.db.read() as conn:
        rows, following = await imports.list_imports(conn, wanted, part)
    return [_import_view(kit, row) for row in rows], following


async def import_ended(kit: IntakeKit, import_id: UUID, seconds: float) -> bool:
    """Wait for an import's end, at most so long; whether it came."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + seconds
    while True:
        async with kit.db.read() as conn:
            if await imports.is_done(conn, import_id):
                return True
        left = deadline - loop.time()
        if left <= 0:
            return False
        await kit.signals.wait(DONE_SIGNAL, min(left, 0.5))
