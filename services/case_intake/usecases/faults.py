"""Faults of a file as the clerk reads them: with the party whose row it is, and the cell that can be mended."""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import Row

from services.case_intake.domain.mending import shown
from services.case_intake.domain.rows import RowFault
from services.case_intake.domain.sheet import FIELDS, RowGroup, SheetRow
from services.case_intake.settings import IntakeKit
from services.case_intake.store import imports
from services.case_intake.usecases.imports import about_group
from services.case_intake.usecases.reading import fault_of
from shared.db.lists import Part
from shared.db.readable import each


@dataclass(frozen=True)
class FaultView:
    """A fault with its row's party. `field` is empty when no cell can be mended here, or when it stands above."""

    line: int
    column: str
    reason: str
    case_number: str | None
    note: bool
    party: str
    role: str
    field: str = ""
    value: str = ""

    @property
    def place(self) -> str:
        """The cell, as versions name it."""
        return f"{self.line}.{self.field}"


def fault_views(faults: Iterable[RowFault], rows: Mapping[int, SheetRow]) -> list[FaultView]:
    """The faults in their order; each cell is offered once."""
    offered: set[tuple[int, str]] = set()
    views = []
    for fault in faults:
        row, field = rows.get(fault.line), FIELDS.get(fault.column, "")
        texts = row.texts if row else {}
        cell = (fault.line, field)
        mendable = bool(row and field and not fault.note and cell not in offered)
        offered.add(cell)
        views.append(
            FaultView(
                **vars(fault),
                party=texts.get("name", ""),
                role=texts.get("role", ""),
                field=field if mendable else "",
                value=shown(row, field) if row and mendable else "",
            )
        )
    return views


def _group(kit: IntakeKit, import_id: UUID, row: Row[Any]) -> Sequence[SheetRow]:
    return kit.keyring.open_model(RowGroup, row.rows, about_group(import_id, row.position)).rows


async def faults_with_parties(kit: IntakeKit, import_id: UUID, faults: Sequence[RowFault]) -> list[FaultView]:
    """The faults of an import with their parties; its rows lie sealed by group."""
    async with kit.db.read() as conn:
        groups = await imports.groups_numbered(conn, import_id, {fault.case_number for fault in faults})

    def opened() -> dict[int, SheetRow]:
        # Rows that cannot be opened are without their party: the fault is told all the same.
        found = each(groups, lambda row: _group(kit, import_id, row), lambda _: ())
        return {row.line: row for group in found for row in group}

    rows = await asyncio.to_thread(opened)
    return fault_views(faults, rows)


async def list_faults(kit: IntakeKit, wanted: imports.WantedFaults, part: Part) -> tuple[list[FaultView], str | None]:
    """Faults of an import with their parties, and where the list goes on."""
    async with kit.db.read() as conn:
        rows, following = await imports.list_faults(conn, wanted, part)
    return await faults_with_parties(kit, wanted.import_id, [fault_of(row) for row in rows]), following
