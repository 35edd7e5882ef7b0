"""Parties join a case after the filing, and their particulars change."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from sqlalchemy import Row

from services.case_intake.domain.filing import MAX_IN_CASE, PartyEntry, party_texts, read_party
from services.case_intake.settings import IntakeKit
from services.case_intake.store import cases
from services.case_intake.usecases.records import party_entry, party_facts, party_values, present
from shared.contracts.cases import PartyAdded, PartyChanged
from shared.db.transaction import Transaction
from shared.errors import Conflict, Invalid, NotFound

_REPEATED = "本案已有诉讼地位和证件号码都相同的当事人。如需更正，请修改该当事人。"


async def add_party(kit: IntakeKit, case_id: UUID, given: Mapping[str, str]) -> UUID:
    """Register a further party; its id. Raises NotFound, Invalid, Conflict."""
    async with kit.db.begin() as tx:
        case = present(await cases.lock_case(tx.conn, case_id))
        entry = _read(given, case)
        others = await cases.parties_of(tx.conn, [case_id])
        _refuse_repeated(kit, entry, others)
        if len(others) >= MAX_IN_CASE:
            raise Conflict("too_many_parties", f"一个案件最多登记{MAX_IN_CASE}名当事人。")
        return (await join(kit, tx, case_id, [entry], silent=False))[0]


async def join(
    kit: IntakeKit, tx: Transaction, case_id: UUID, entries: list[PartyEntry], *, silent: bool
) -> list[UUID]:
    """Write parties into a case that the transaction has locked, and tell of each."""
    rows = [party_values(kit, entry) for entry in entries]
    await cases.insert_parties(tx.conn, case_id, rows)
    for row in rows:
        await tx.emit(PartyAdded(case_id=case_id, party=party_facts(row), silent=silent))
    return [row["id"] for row in rows]


async def change_party(kit: IntakeKit, case_id: UUID, party_id: UUID, changes: Mapping[str, str]) -> None:
    """Change a party's particulars; an empty text takes one back. Nothing is told when nothing changed.

    Raises NotFound, Invalid, Conflict.
    """
    async with kit.db.begin() as tx:
        case = present(await cases.lock_case(tx.conn, case_id))
        rows = await cases.parties_of(tx.conn, [case_id])
        before = party_entry(kit, the_party(rows, party_id))
        entry = _read({**party_texts(before), **changes}, case)
        _refuse_repeated(kit, entry, [row for row in rows if row.id != party_id])
        if entry == before:
            return
        values = party_values(kit, entry, party_id)
        await cases.change_party(tx.conn, party_id, values)
        await tx.emit(PartyChanged(case_id=case_id, party=party_facts(values)))


def the_party(rows: list[Row[Any]], party_id: UUID) -> Row[Any]:
    """One of a case's parties. Raises NotFound."""
    for row in rows:
        if row.id == party_id:
            return row
    raise NotFound("party_not_found", "本案没有这名当事人，请从案件页面重新选择。")


def _read(given: Mapping[str, str], case: Row[Any]) -> PartyEntry:
    entry, faults = read_party(given, case.filed_on)
    if faults:
        raise Invalid(faults)
    return entry


def _refuse_repeated(kit: IntakeKit, entry: PartyEntry, others: list[Row[Any]]) -> None:
    mark = (entry.role.value, kit.keyring.blind_index(entry.identity.id_number, "id_number"))
    if mark in {(row.role, row.id_index) for row in others}:
        raise Conflict("party_repeated", _REPEATED)
