"""Parties join a case after the filing, and their particulars change."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row

from services.case_intake.domain.filing import MAX_IN_CASE, PartyEntry, party_texts, read_party
from services.case_intake.settings import IntakeKit
from services.case_intake.store import cases
from services.case_intake.usecases.filing import Once, answered
from services.case_intake.usecases.records import party_entry, party_facts, party_state, party_values, present
from shared.clock import court_date
from shared.contracts.cases import PartyAdded, PartyChanged, PartyMisfiled, PartyRole
from shared.db.answers import remember
from shared.db.transaction import Transaction
from shared.errors import Conflict, Invalid, NotFound
from shared.http.versions import Edit, refuse_stale
from shared.web.masking import masked

_REPEATED = "本案已有诉讼地位和证件号码都相同的当事人。如需更正，请修改该当事人。"


async def add_party(kit: IntakeKit, case_id: UUID, given: Mapping[str, str], once: Once | None = None) -> UUID:
    """Register a further party; its id. The same request again gets the same id. Raises NotFound, Invalid, Conflict."""
    scope = f"add_party/{case_id}"
    async with kit.db.begin() as tx:
        before = await answered(tx, scope, once)
        if before is not None:
            return UUID(before["id"])
        case = present(await cases.lock_case(tx.conn, case_id))
        entry = _read(given, case, court_date(tx.now))
        others = await cases.parties_of(tx.conn, [case_id])
        _refuse_repeated(kit, entry, others)
        if len(others) >= MAX_IN_CASE:
            raise Conflict("too_many_parties", f"一个案件最多登记{MAX_IN_CASE}名当事人。")
        party_id = (await join(kit, tx, case_id, [entry], Told()))[0]
        if once is not None:
            await remember(tx, scope, once.key, once.mark, {"id": str(party_id)})
        return party_id


@dataclass(frozen=True)
class Told:
    """How newcomers are told: not at all when `silent`, and not before `hold_until` (UTC)."""

    silent: bool = False
    hold_until: datetime | None = None


async def join(kit: IntakeKit, tx: Transaction, case_id: UUID, entries: Sequence[PartyEntry], told: Told) -> list[UUID]:
    """Write parties into a case that the transaction has locked, and tell of each."""
    rows = [party_values(kit, entry) for entry in entries]
    await cases.insert_parties(tx.conn, case_id, rows)
    for row in rows:
        facts = party_facts(kit, row)
        await tx.emit(PartyAdded(case_id=case_id, party=facts, silent=told.silent, hold_until=told.hold_until))
    return [row["id"] for row in rows]


async def change_party(kit: IntakeKit, case_id: UUID, party_id: UUID, changes: Mapping[str, str], edit: Edit) -> None:
    """Change a party's particulars; an empty text takes one back. Nothing is told when nothing changed.

    Raises NotFound, Invalid, Conflict, Stale.
    """
    async with kit.db.begin() as tx:
        case = present(await cases.lock_case(tx.conn, case_id))
        rows = await cases.parties_of(tx.conn, [case_id])
        row = the_party(rows, party_id)
        entry = _read({**party_texts(party_entry(kit, row)), **changes}, case, court_date(tx.now))
        after = party_texts(entry)
        refuse_stale(edit, party_state(kit, row), {name: after[name] for name in changes if name in after}, masked)
        _refuse_repeated(kit, entry, [other for other in rows if other.id != party_id])
        await alter(kit, tx, case, row, changes, edit.by)


async def alter(
    kit: IntakeKit, tx: Transaction, case: Row[Any], row: Row[Any], changes: Mapping[str, str], by: UUID
) -> None:
    """The same for a party of a case that the transaction has locked, over whatever stands. Raises Invalid."""
    before = party_entry(kit, row)
    entry = _read({**party_texts(before), **changes}, case, court_date(tx.now))
    if entry == before:
        return
    values = party_values(kit, entry, row.id)
    await cases.change_party(tx.conn, row.id, {**values, **_owned_again(before, entry), "changed_by": by})
    await tx.emit(PartyChanged(case_id=case.id, party=party_facts(kit, values)))


def _owned_again(before: PartyEntry, after: PartyEntry) -> dict[str, None]:
    """A contact that was disowned and is another now is no longer in doubt."""
    phone, email = before.contact_phone != after.contact_phone, before.identity.email != after.identity.email
    changed = {"phone_disowned_at": phone, "email_disowned_at": email}
    return {column: None for column, other in changed.items() if other}


async def mark_misfiled(kit: IntakeKit, case_id: UUID, party_id: UUID, by: UUID) -> None:
    """The party never belonged to the case and counts no more; nobody else hears anything new of it.

    Raises NotFound; Conflict when it is so marked already.
    """
    async with kit.db.begin() as tx:
        present(await cases.lock_case(tx.conn, case_id))
        rows = await cases.parties_of(tx.conn, [case_id], misfiled=True)
        if the_party(rows, party_id).misfiled_at is not None:
            raise Conflict("party_misfiled", "这名当事人已经标记为误录，无需重复标记。")
        await cases.change_party(tx.conn, party_id, {"misfiled_at": tx.now, "misfiled_by": by})
        left = {row.role for row in rows if row.misfiled_at is None and row.id != party_id}
        await cases.change_case(tx.conn, case_id, {f"has_{role}": role.value in left for role in PartyRole})
        await tx.emit(PartyMisfiled(case_id=case_id, party_id=party_id, by=by))


def the_party(rows: list[Row[Any]], party_id: UUID) -> Row[Any]:
    """One of a case's parties. Raises NotFound."""
    for row in rows:
        if row.id == party_id:
            return row
    raise NotFound("party_not_found", "本案没有这名当事人，请从案件页面重新选择。")


def _read(given: Mapping[str, str], case: Row[Any], today: date) -> PartyEntry:
    entry, faults = read_party(given, case.filed_on, today)
    if faults:
        raise Invalid(faults)
    return entry


def _refuse_repeated(kit: IntakeKit, entry: PartyEntry, others: Sequence[Row[Any]]) -> None:
    marks = {(entry.role.value, each) for each in kit.keyring.blind_indexes(entry.identity.id_number, "id_number")}
    if marks & {(row.role, row.id_index) for row in others}:
        raise Conflict("party_repeated", _REPEATED)
