"""Cases get a judge and a panel: by hand, or by the recorded rule of fewest open cases."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import Row

from services.case_intake.domain.assignment import Seat, fewest_open_cases, may_review
from services.case_intake.settings import IntakeKit
from services.case_intake.store import cases, judges
from services.case_intake.usecases.records import assignment_state, present
from shared.contracts.case_kinds import kind_of
from shared.contracts.cases import AssignmentRule, CaseAssigned, Officer
from shared.db.transaction import Transaction
from shared.errors import Fault, Invalid
from shared.http.versions import Edit, refuse_stale

JUDGES_SIGNAL = "judges"


@dataclass(frozen=True)
class Decision:
    """Who gets a case, by which rule, and who decided. `panel` empty: the judge's own."""

    judge: Row[Any]
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
    """A case that needs a judge; `attacked`: the number of the case whose handling it reviews, if it reviews one."""

    case_id: UUID
    by: UUID
    silent: bool
    attacked: str | None


async def assign_by_rule(kit: IntakeKit, tx: Transaction, case: Unassigned) -> bool:
    """Give the case, locked or made in this transaction, to the judge with the fewest open cases who may have it.

    False while no such judge is known: the case waits.
    """
    case_id, by, silent = case.case_id, case.by, case.silent
    attacked = await _seat_of(tx, case.attacked)
    known = await judges.lock_judges(tx.conn, kit.court.code)
    able = [judge for judge in known if may_review(Seat(judge.staff_id, judge.panel), attacked)]
    if not able:
        await cases.change_case(tx.conn, case_id, {"awaits_rule": True})
        return False
    chosen = fewest_open_cases((judge.staff_id for judge in able), await judges.open_cases(tx.conn))
    judge = next(judge for judge in able if judge.staff_id == chosen)
    await _give(tx, case_id, Decision(judge, AssignmentRule.FEWEST_OPEN_CASES, by, silent=silent))
    return True


async def _seat_of(tx: Transaction, number: str | None) -> Seat | None:
    found = None if number is None else await cases.find_case(tx.conn, number)
    return None if found is None or found.judge_id is None else Seat(found.judge_id, found.panel)


async def assign_by_hand(kit: IntakeKit, case_id: UUID, wish: Appointment, edit: Edit) -> None:
    """Give the case to a judge, also when another has it. Repeating it changes nothing.

    Raises NotFound; Stale when another assigned it meanwhile; Invalid for a judge who is not known, who sits on
    no panel while none is named, or who would review the handling of their own or their panel's case.
    """
    async with kit.db.begin() as tx:
        case = present(await cases.lock_case(tx.conn, case_id))
        judge = await judges.lock_judge(tx.conn, kit.court.code, wish.judge_id)
        if judge is None:
            raise Invalid([Fault("judge_id", "没有这位在任的承办法官，请从名单中重新选择。")])
        panel = wish.panel or judge.panel
        if not panel:
            raise Invalid([Fault("panel", "该法官尚未编入合议庭，请填写合议庭名称。")])
        await _refuse_own_review(tx, case, Seat(judge.staff_id, panel))
        if (case.judge_id, case.panel, case.clerk_name) == (wish.judge_id, panel, wish.clerk_name):
            return
        mine = {"judge_id": str(wish.judge_id), "panel": panel, "clerk_name": wish.clerk_name or ""}
        refuse_stale(edit, assignment_state(kit, case), mine)
        first_of_old_stock = case.silent and case.judge_id is None
        decision = Decision(judge, AssignmentRule.BY_HAND, edit.by, panel, wish.clerk_name, silent=first_of_old_stock)
        await _give(tx, case.id, decision)


async def _refuse_own_review(tx: Transaction, case: Row[Any], seat: Seat) -> None:
    attacked = await _seat_of(tx, kind_of(case.case_number).attacked(case.main_case))
    if attacked is None or may_review(seat, attacked):
        return
    field, who = ("judge_id", "该法官") if seat.judge_id == attacked.judge_id else ("panel", "该合议庭")
    reason = f"{who}承办被异议、复议的执行案件（{case.main_case}），不得审查本案，请另选承办法官和合议庭。"
    raise Invalid([Fault(field, reason)])


async def _give(tx: Transaction, case_id: UUID, decision: Decision) -> None:
    judge, panel = decision.judge, decision.panel or decision.judge.panel
    values = {
        "judge_id": judge.staff_id,
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
            attacked = kind_of(case.case_number).attacked(case.main_case)
            number += await assign_by_rule(kit, tx, Unassigned(case.id, case.filed_by, case.silent, attacked))
        after = case.id  # one that must wait on holds up no other
