"""The one search: cases by number, or by a party's name, telephone or ID number; what is typed is kept nowhere."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Literal
from uuid import UUID

from sqlalchemy import Row

from services.case_intake.domain.search import Sought, read, same_name
from services.case_intake.settings import IntakeKit
from services.case_intake.store import cases, search
from services.case_intake.usecases.reading import how_far
from services.case_intake.usecases.records import party_entry
from shared.contracts.cases import PartyRole
from shared.crypto.sealed import SealError
from shared.web.formats import masked_name

MOST_FOUND = 50
_AT_ONCE = 200
_UNREADABLE = ""
"""Stands where a party's name could not be opened: it is found by its other particulars."""

By = Literal["case_number", "name", "phone", "id_number"]


@dataclass(frozen=True)
class FoundParty:
    """A party of a case that was found; the name is masked. `fits`: it is whom was looked for."""

    name: str
    role: PartyRole
    fits: bool


@dataclass(frozen=True)
class Found:
    """A case that was found, and by what."""

    id: UUID
    case_number: str
    cause: str
    filed_on: date
    state: str
    judge: str | None
    by: By
    parties: list[FoundParty]


@dataclass(frozen=True)
class Results:
    """The newest cases that fit; `more`: there are others."""

    items: list[Found]
    more: bool


async def search_cases(kit: IntakeKit, typed: str) -> Results:
    """Cases that fit what was typed; nothing for nothing."""
    sought = read(typed)
    if sought.empty:
        return Results([], more=False)
    hashes = search.Hashes(sought.number, _hashes(kit, sought))
    async with kit.db.read() as conn:
        rows = await search.found(conn, hashes, MOST_FOUND + 1)
        parties = await cases.parties_of(conn, [row.id for row in rows])
    of_case: dict[UUID, list[Row[Any]]] = {row.id: [] for row in rows}
    for party in parties:
        of_case[party.case_id].append(party)
    items = [_found(kit, row, of_case[row.id], hashes) for row in rows[:MOST_FOUND]]
    return Results(items, more=len(rows) > MOST_FOUND)


def _hashes(kit: IntakeKit, sought: Sought) -> dict[str, Sequence[str]]:
    texts = {"name": sought.name, "phone": sought.phone, "id_number": sought.id_number}
    columns = {"name": "name_index", "phone": "phone_index", "id_number": "id_index"}
    return {columns[what]: kit.keyring.blind_indexes(text, what) for what, text in texts.items() if text}


def _found(kit: IntakeKit, row: Row[Any], parties: Sequence[Row[Any]], hashes: search.Hashes) -> Found:
    by: By = "case_number"
    shown = []
    names: dict[str, By] = {"name_index": "name", "phone_index": "phone", "id_index": "id_number"}
    for party in parties:
        fitting = [names[column] for column, values in hashes.columns.items() if getattr(party, column) in values]
        by = fitting[0] if fitting else by
        name = masked_name(party_entry(kit, party).identity.name)
        shown.append(FoundParty(name, PartyRole(party.role), bool(fitting)))
    return Found(row.id, row.case_number, row.cause, row.filed_on, how_far(row), row.judge_name, by, shown)


async def index_names(kit: IntakeKit) -> None:
    """Make parties of earlier releases found by name, some at a time; what cannot be opened is passed over."""
    while True:
        async with kit.db.begin() as tx:
            rows = await search.without_name_index(tx.conn, _AT_ONCE)
            if not rows:
                return
            await search.set_name_indexes(tx.conn, [(row.id, _name_index(kit, row)) for row in rows])


def _name_index(kit: IntakeKit, row: Row[Any]) -> str:
    try:
        name = party_entry(kit, row).identity.name
    except SealError:
        return _UNREADABLE
    return kit.keyring.blind_index(same_name(name), "name")
