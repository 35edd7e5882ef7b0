"""Cases get a judge and a panel: by hand, or by the recorded rule of fewest open cases."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import Row
from sqlalchemy.ext.asyncio import AsyncConnection

from services.case_intake.domain.assignment import Attacked, Seat, fewest_open_cases
from services.case_intake.settings import IntakeKit
from services.case_intake.store import cases, judges
from services.case_intake.store.judges import Judge
from services.case_intake.usecases.records import assignment_state, present
from shared.contracts.case_kinds import CaseKind, kind_of
from shared.contracts.cases import AssignmentRule, CaseAssigned, Officer
from shared.db.transaction import Transaction
from shared.errors import Fault, Invalid
from shared.http.versions import Edit, refuse_stale

JUDGES_SIGNAL = "judges"


@dataclass(frozen=True)
class Decision:
    """Who gets a case, by which rule, and who decided. `panel` empty: the judge's own."""

    judge: Judge
    rule: AssignmentRule
    by: UUID
    panel: str | None = None
    clerk_name: str | None = None
    silent: bool = False


@dataclass(frozen=True)
class Appointment:
    """An assignment by hand as it is asked for."""

    judge_id: UUID
    panel: str | None
    clerk_name: str | None


@dataclass(frozen=True)
class Unassigned:
    """A case that needs a judge."""

    case_id: UUID
    kind: CaseKind
    main_case: str | None
    by: UUID
    silent: bool


async def assign_by_rule(kit: IntakeKit, tx: Transaction, case: Unassigned) -> bool:
    """Give the case, locked or made in this transaction, to whoever has the fewest open cases and may have it.

    False while nobody is known who may: the case waits.
    """
    attacked = await _attacked(tx.conn, case.kind, case.main_case)
    known = await judges.lock_judges(tx.conn, kit.court.code, case.kind.power)
    able = [judge for judge in known if not attacked.by(_seat(judge))]
    if not able:
        await cases.change_case(tx.conn, case.case_id, {"awaits_rule": True})
        return False
    chosen = fewest_open_cases((judge.staff_id for judge in able), await judges.open_cases(tx.conn))
    judge = next(judge for judge in able if judge.staff_id == chosen)
    await _give(tx, case.case_id, Decision(judge, AssignmentRule.FEWEST_OPEN_CASES, case.by, silent=case.silent))
    return True


def _seat(judge: Judge) -> Seat:
    return Seat(judge.staff_id, judge.panel)


async def _attacked(conn: AsyncConnection, kind: CaseKind, main_case: str | None) -> Attacked:
    """Whose handling a case of this kind reviews: nobody's, where it is no review or its main case is not known."""
    number = kind.attacked(main_case)
    found = None if number is None else await cases.find_case(conn, number)
    return Attacked() if found is None else Attacked(found.handled_by, found.panel)


async def eligible(kit: IntakeKit, kind: CaseKind, main_case: str | None) -> Sequence[Judge]:
    """To whom a case of this kind about that main case can be given by hand, with the number of their open cases."""
    async with kit.db.read() as conn:
        attacked = await _attacked(conn, kind, main_case)
        known = await judges.list_judges(conn, kit.court.code, kind.power)
    return [judge for judge in known if not attacked.by(_seat(judge))]


async def assign_by_hand(kit: IntakeKit, case_id: UUID, wish: Appointment, edit: Edit) -> None:
    """Give the case to a judge, also when another has it. Repeating it changes nothing.

    Raises NotFound; Stale when another assigned it meanwhile; Invalid for somebody who is not known, whose power is
    not the case's, who sits on no panel while none is named, or who would review what they or their panel did.
    """
    async with kit.db.begin() as tx:
        case = present(await cases.lock_case(tx.conn, case_id))
        judge = await judges.lock_judge(tx.conn, kit.court.code, wish.judge_id)
        if judge is None:
            raise Invalid([Fault("judge_id", "没有这位在任的承办法官，请从名单中重新选择。")])
        panel = wish.panel or judge.panel
        if not panel:
            raise Invalid([Fault("panel", "该法官尚未编入合议庭，请填写合议庭名称。")])
        await _refuse(tx.conn, case, judge, panel)
        if (case.judge_id, case.panel, case.clerk_name) == (wish.judge_id, panel, wish.clerk_name):
            return
        mine = {"judge_id": str(wish.judge_id), "panel": panel, "clerk_name": wish.clerk_name or ""}
        refuse_stale(edit, assignment_state(kit, case), mine)
        first_of_old_stock = case.silent and case.judge_id is None
        decision = Decision(judge, AssignmentRule.BY_HAND, edit.by, panel, wish.clerk_name, silent=first_of_old_stock)
        await _give(tx, case.id, decision)


async def _refuse(conn: AsyncConnection, case: Row[Any], judge: Judge, panel: str) -> None:
    kind = kind_of(case.case_number)
    if kind.power not in judge.powers:
        post = kind.handler
        reason = f"本案是{kind.title}，由{post.department}办理，{judge.name}不是{post.department}的{post.title}。"
        wanting = f"请从名单中选择；名单中没有人的，请系统管理员登记在任的{post.title}。"
        raise Invalid([Fault("judge_id", reason + wanting)])
    attacked = await _attacked(conn, kind, case.main_case)
    seats = {"judge_id": _seat(judge), "panel": Seat(judge.staff_id, panel)}
    field = next((field for field, seat in seats.items() if attacked.by(seat)), None)
    if field is not None:
        who = "该法官" if judge.staff_id in attacked.judges else "该合议庭"
        reason = f"{who}承办过被异议、复议的执行案件（{case.main_case}），不得审查本案，请另选承办法官和合议庭。"
        raise Invalid([Fault(field, reason)])


async def _give(tx: Transaction, case_id: UUID, decision: Decision) -> None:
    judge, panel = decision.judge, decision.panel or decision.judge.panel
    values = {
        "judge_id": judge.staff_id,
        "handled_by": cases.handled_also_by(judge.staff_id),
        "clerk_name": decision.clerk_name,
        "panel": panel,
        "department": judge.department,
        "rule": decision.rule.value,
        "assigned_at": tx.now,
        "assigned_by": decision.by if decision.rule is AssignmentRule.BY_HAND else None,
        "awaits_rule": False,
    }
    await cases.change_case(tx.conn, case_id, values)
    told = CaseAssigned(
        case_id=case_id,
        judge=Officer(staff_id=judge.staff_id, name=judge.name, phone=judge.phone),
        clerk_name=decision.clerk_name,
        panel=panel,
        department=judge.department,
        rule=decision.rule,
        assigned_by=decision.by,
        assigned_at=tx.now,
        silent=decision.silent,
    )
    await tx.emit(told)


async def assign_waiting(kit: IntakeKit) -> int:
    """Assign the cases that wait for a judge by the rule, one transaction each; how many were assigned."""
    number, after = 0, None
    while True:
        async with kit.db.begin() as tx:
            case = await judges.lock_waiting_case(tx.conn, after)
            if case is None:
                return number
            waits = Unassigned(case.id, kind_of(case.case_number), case.main_case, case.filed_by, case.silent)
            number += await assign_by_rule(kit, tx, waits)
        after = case.id  # one that must wait on holds up no other
