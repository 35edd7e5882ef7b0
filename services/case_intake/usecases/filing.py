"""Cases are put on file, their facts completed or corrected."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import Row

from services.case_intake.domain.filing import CaseEntry, Filing, case_texts, read_case
from services.case_intake.domain.numbers import ENFORCEMENT, CaseNumber
from services.case_intake.settings import IntakeKit
from services.case_intake.store import cases
from services.case_intake.usecases.assignment import assign_by_rule
from services.case_intake.usecases.records import (
    case_entry,
    case_facts,
    case_values,
    party_facts,
    party_values,
    present,
)
from shared.contracts.cases import CaseCorrected, CaseFiled
from shared.db.answers import given_before, remember
from shared.db.transaction import Transaction, new_id
from shared.errors import Conflict, Invalid


class Assign(StrEnum):
    """How a new case is to get its judge."""

    AUTO = "auto"
    BY_HAND = "by_hand"


@dataclass(frozen=True)
class Once:
    """An idempotency key with the fingerprint of the request."""

    key: str
    mark: str


@dataclass(frozen=True)
class Act:
    """Who files, and how. `silent`: an old stock is carried over, nobody is told; `hold_until`: nobody before (UTC)."""

    by: UUID
    assign: Assign
    silent: bool = False
    hold_until: datetime | None = None


async def file_case(kit: IntakeKit, filing: Filing, act: Act, once: Once | None = None) -> dict[str, Any]:
    """Put a case on file; the answer names ids only. Raises Conflict for a number or a key that is taken."""
    scope = f"file_case/{act.by}"
    async with kit.db.begin() as tx:
        if once is not None:
            before = await given_before(tx, scope, once.key, once.mark)
            if before is not None:
                return before
        answer = await put_on_file(kit, tx, filing, act)
        if answer is None:
            raise Conflict("case_number_taken", "这个案号已经登记。请核对案号，或打开该案件补充当事人。")
        if once is not None:
            await remember(tx, scope, once.key, once.mark, answer)
    return answer


async def put_on_file(kit: IntakeKit, tx: Transaction, filing: Filing, act: Act) -> dict[str, Any] | None:
    """Write the case with its parties and tell of it, then assign it. None when its number is on file already.

    Locks are taken in one order everywhere: series, case, judges.
    """
    case_id, number = new_id(), await _number(kit, tx, filing.case)
    values = {
        **case_values(kit, case_id, filing.case),
        "id": case_id,
        "case_number": number.text,
        "court": kit.court.code,
        "silent": act.silent,
        "filed_by": act.by,
        "registered_at": tx.now,
    }
    if not await cases.insert_case(tx.conn, values):
        return None
    rows = [party_values(kit, party) for party in filing.parties]
    await cases.insert_parties(tx.conn, case_id, rows)
    parties = tuple(party_facts(kit, row) for row in rows)
    facts, hold = case_facts(kit, case_id, values), act.hold_until
    await tx.emit(CaseFiled(case_id=case_id, facts=facts, parties=parties, silent=act.silent, hold_until=hold))
    auto = act.assign is Assign.AUTO
    assigned = auto and await assign_by_rule(kit, tx, case_id, act.by, silent=act.silent)
    return {
        "id": str(case_id),
        "case_number": number.text,
        "assigned": assigned,
        "parties": [{"id": str(row["id"]), "role": row["role"]} for row in rows],
    }


async def _number(kit: IntakeKit, tx: Transaction, entry: CaseEntry) -> CaseNumber:
    court, number = kit.court.code, entry.number
    if number is None:
        serial = await cases.next_serial(tx.conn, court, ENFORCEMENT, entry.filed_on.year)
        return CaseNumber.of(entry.filed_on.year, court, serial)
    if number.counted:
        await cases.use_serial(tx.conn, court, number.kind, number.year, number.serial)
    return number


async def correct_case(kit: IntakeKit, case_id: UUID, changes: Mapping[str, str]) -> None:
    """Complete or correct a case's facts; an empty text takes a fact back. Nothing is told when nothing changed.

    Raises NotFound, Invalid.
    """
    async with kit.db.begin() as tx:
        await correct(kit, tx, present(await cases.lock_case(tx.conn, case_id)), changes)


async def correct(kit: IntakeKit, tx: Transaction, row: Row[Any], changes: Mapping[str, str]) -> None:
    """The same for a case that the transaction has locked. Raises Invalid."""
    before = case_entry(kit, row)
    entry, faults = read_case({**case_texts(before), **changes}, row.court)
    if faults:
        raise Invalid(faults)
    if replace(entry, number=before.number) == before:
        return
    values = case_values(kit, row.id, entry)
    await cases.change_case(tx.conn, row.id, values)
    facts = case_facts(kit, row.id, {**values, "case_number": row.case_number})
    await tx.emit(CaseCorrected(case_id=row.id, facts=facts))
