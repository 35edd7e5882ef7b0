"""Cases are put on file, their facts completed or corrected."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import Row

from services.case_intake.domain.filing import CaseEntry, Filing, case_texts, read_case
from services.case_intake.domain.numbers import ENFORCEMENT, CaseNumber
from services.case_intake.settings import IntakeKit
from services.case_intake.store import cases
from services.case_intake.usecases.assignment import Unassigned, assign_by_rule
from services.case_intake.usecases.records import (
    case_entry,
    case_facts,
    case_state,
    case_values,
    party_facts,
    party_values,
    present,
)
from shared.clock import court_date
from shared.contracts.cases import CaseCorrected, CaseFiled
from shared.db.answers import given_before, remember
from shared.db.transaction import Transaction, new_id
from shared.errors import Conflict, Invalid, Question
from shared.http.versions import Edit, refuse_stale

ANEW = timedelta(days=1)
"""So soon after another filing, the same parties on the same basis are taken for that filing done again."""


class Doubt(StrEnum):
    """What is done only when it is confirmed."""

    SERIAL_FAR = "serial_far"
    FILED_ALREADY = "filed_already"


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
    """Who files, and how. `silent`: an old stock is carried over, nobody is told; `hold_until`: nobody before (UTC).

    `confirmed`: what of a single filing may look like a slip and is meant. `through`: the import that brings it.
    """

    by: UUID
    assign: Assign
    silent: bool = False
    hold_until: datetime | None = None
    confirmed: frozenset[Doubt] = frozenset()
    by_name: str | None = None
    through: UUID | None = None

    @property
    def corrector(self) -> UUID:
        """Who counts as having changed what is corrected by this: an import is somebody else than who sent it."""
        return self.through or self.by


async def file_case(kit: IntakeKit, filing: Filing, act: Act, once: Once | None = None) -> dict[str, Any]:
    """Put a case on file; the answer names ids only.

    Raises Conflict for a number or a key that is taken, Question for what may be a slip.
    """
    scope = f"file_case/{act.by}"
    async with kit.db.begin() as tx:
        before = await answered(tx, scope, once)
        if before is not None:
            return before
        await _ask(kit, tx, filing, act.confirmed)
        answer = await put_on_file(kit, tx, filing, act)
        if answer is None:
            raise Conflict("case_number_taken", "这个案号已经登记。请核对案号，或打开该案件补充当事人。")
        if once is not None:
            await remember(tx, scope, once.key, once.mark, answer)
    return answer


async def answered(tx: Transaction, scope: str, once: Once | None) -> dict[str, Any] | None:
    """What the same request was answered before, or None. Raises Conflict for a key that is taken."""
    return None if once is None else await given_before(tx, scope, once.key, once.mark)


async def _ask(kit: IntakeKit, tx: Transaction, filing: Filing, confirmed: frozenset[Doubt]) -> None:
    """Raises Question for the first doubt that is not confirmed."""
    number, court = filing.case.number, kit.court.code
    if number is None:
        if Doubt.FILED_ALREADY not in confirmed:
            await _ask_whether_anew(kit, tx, filing)
    elif Doubt.SERIAL_FAR not in confirmed and not await cases.is_on_file(tx.conn, number.text):
        last = await cases.last_serial(tx.conn, court, number.kind, number.year)
        if number.is_far(last):
            so_far = f"本年度已登记到{last}号" if last else "本年度尚无登记"
            detail = f"案号的序号{number.serial}远大于已登记的序号（{so_far}），请核对是否多写了数字。"
            raise Question(Doubt.SERIAL_FAR, f"{detail}确认无误后可以登记，不影响自动编号。", "case_number")


async def _ask_whether_anew(kit: IntakeKit, tx: Transaction, filing: Filing) -> None:
    new = {
        (party.role.value, mark): at
        for at, party in enumerate(filing.parties)
        for mark in kit.keyring.blind_indexes(party.identity.id_number, "id_number")
    }
    alike = await cases.filed_alike(tx.conn, filing.case.basis_document, tx.now - ANEW)
    parties = await cases.parties_of(tx.conn, [case.id for case in alike]) if alike else []
    for case in alike:
        same = [new.get((party.role, party.id_index)) for party in parties if party.case_id == case.id]
        if None not in same and len(set(same)) == len(filing.parties):
            detail = f"当事人和执行依据都相同的案件刚刚登记过：{case.case_number}。"
            advice = "如要修改，请打开该案件更正；确属另一件案件的，请确认后登记。"
            raise Question(Doubt.FILED_ALREADY, detail + advice, "basis_document")


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
    waits = Unassigned(case_id, filing.case.kind, filing.case.main_case, act.by, act.silent)
    assigned = act.assign is Assign.AUTO and await assign_by_rule(kit, tx, waits)
    return {
        "id": str(case_id),
        "case_number": number.text,
        "assigned": assigned,
        "parties": [{"id": str(row["id"]), "role": row["role"]} for row in rows],
    }


async def _number(kit: IntakeKit, tx: Transaction, entry: CaseEntry) -> CaseNumber:
    court, number = kit.court.code, entry.number
    if number is None:
        return await _next_number(tx, court, entry.filed_on.year)
    if number.counted and not number.is_far(await cases.last_serial(tx.conn, court, number.kind, number.year)):
        await cases.use_serial(tx.conn, court, number.kind, number.year, number.serial)
    return number


async def _next_number(tx: Transaction, court: str, year: int) -> CaseNumber:
    """The next number of the series that no case has; a far one that did not move it is passed over when it comes."""
    while True:
        number = CaseNumber.of(year, court, await cases.next_serial(tx.conn, court, ENFORCEMENT, year))
        if not await cases.is_on_file(tx.conn, number.text):
            return number


async def correct_case(kit: IntakeKit, case_id: UUID, changes: Mapping[str, str], edit: Edit) -> None:
    """Complete or correct a case's facts; an empty text takes a fact back. Nothing is told when nothing changed.

    Raises NotFound, Invalid, Stale.
    """
    async with kit.db.begin() as tx:
        row = present(await cases.lock_case(tx.conn, case_id))
        after = case_texts(_corrected(kit, tx, row, changes))
        refuse_stale(edit, case_state(kit, row), {name: after[name] for name in changes})
        await correct(kit, tx, row, changes, edit.by)


async def correct(kit: IntakeKit, tx: Transaction, row: Row[Any], changes: Mapping[str, str], by: UUID) -> None:
    """The same for a case that the transaction has locked, over whatever stands. Raises Invalid."""
    before, entry = case_entry(kit, row), _corrected(kit, tx, row, changes)
    if replace(entry, number=before.number) == before:
        return
    values = case_values(kit, row.id, entry)
    await cases.change_case(tx.conn, row.id, {**values, "changed_by": by})
    facts = case_facts(kit, row.id, {**values, "case_number": row.case_number})
    await tx.emit(CaseCorrected(case_id=row.id, facts=facts))


def _corrected(kit: IntakeKit, tx: Transaction, row: Row[Any], changes: Mapping[str, str]) -> CaseEntry:
    before = case_entry(kit, row)
    texts = {**case_texts(before), **changes}
    if before.number and not before.number.year:
        texts.pop("case_number")  # one that an older release gave out and no form would take
    # The day of filing cannot be changed; where a clock was set back it may lie ahead.
    entry, faults = read_case(texts, row.court, max(court_date(tx.now), before.filed_on))
    if faults:
        raise Invalid(faults)
    return entry
