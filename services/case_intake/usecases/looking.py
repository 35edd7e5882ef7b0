"""Somebody needs a party's full particulars: the look is told of, with a reason where the case is not their own."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any
from uuid import UUID

from sqlalchemy import Row

from services.case_intake.domain.filing import party_texts
from services.case_intake.settings import IntakeKit
from services.case_intake.store import cases, judges
from services.case_intake.usecases.reading import CaseView, full_party_view, read_case
from services.case_intake.usecases.records import party_entry, party_state, present
from shared.contracts.case_number import reference
from shared.contracts.looks import Seen
from shared.db.reach import Reach
from shared.db.transaction import Transaction
from shared.errors import NotFound
from shared.http.auth import Caller
from shared.powers import Handlers
from shared.runtime.looks import Look, reasoned, record


async def is_own(kit: IntakeKit, view: CaseView, caller: Caller) -> bool:
    """Whether the case is the caller's: then a look needs no reason."""
    async with kit.db.read() as conn:
        presiding = await judges.presiding_over(conn, view.panel)
    judge = Handlers() if view.judge is None else Handlers(view.judge.staff_id, view.judge.name)
    handlers = replace(judge, clerk_name=view.clerk_name, presiding=presiding)
    return handlers.own(caller.staff_id, caller.name)


async def is_within(kit: IntakeKit, view: CaseView, reach: Reach | None) -> bool:
    """Whether the case is one of those whose inside somebody reads."""
    if reach is None:
        return True
    async with kit.db.read() as conn:
        return await cases.is_within(conn, view.id, reach)


async def look(kit: IntakeKit, case: UUID | str, caller: Caller, reason: str | None) -> CaseView:
    """The case with its parties' full particulars. Raises NotFound, and Invalid without a reason where one is due."""
    view = await read_case(kit, case)
    own = await is_own(kit, view, caller)
    seen = Look(Seen.PARTY, view.id, view.id, view.case_number, own, reasoned(reason, needed=not own))
    async with kit.db.begin() as tx:
        rows = await _opened(tx, view.id)
        await record(kit, tx, caller, seen)
    views = [full_party_view(kit, row) for row in rows]
    mine = [each for each in views if each.misfiled_at is None]
    return replace(view, parties=mine, misfiled=[each for each in views if each.misfiled_at is not None])


async def _opened(tx: Transaction, case_id: UUID) -> Sequence[Row[Any]]:
    present(await cases.find_case(tx.conn, reference(str(case_id))))
    return await cases.parties_of(tx.conn, [case_id], misfiled=True)


async def open_form(
    kit: IntakeKit, case_id: UUID, party_id: UUID, caller: Caller
) -> tuple[CaseView, dict[str, str], str]:
    """The case, and what stands in the form in which a party is corrected, with its version: a look that the act needs.

    Raises NotFound.
    """
    view = await read_case(kit, case_id)
    async with kit.db.begin() as tx:
        row = next((each for each in await _opened(tx, case_id) if each.id == party_id), None)
        if row is None or row.misfiled_at is not None:
            raise NotFound("party_not_found", "本案没有这名当事人，请从案件页面重新选择。")
        own = await is_own(kit, view, caller)
        await record(kit, tx, caller, Look(Seen.FORM, party_id, case_id, view.case_number, own))
    return view, party_texts(party_entry(kit, row)), party_state(kit, row).version
