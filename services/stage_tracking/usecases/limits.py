"""Parties are told of a limit that was corrected, as of one that was made longer: 执行公开, item 13."""

from collections.abc import Mapping

from services.stage_tracking.domain.acts import Publication
from services.stage_tracking.domain.log import EntryKind, Note
from services.stage_tracking.settings import StageKit
from services.stage_tracking.store import deadlines
from services.stage_tracking.store.rows import Case, Clock
from services.stage_tracking.usecases.journal import publish, published_facts, write
from shared.contracts.case_kinds import REVIEWS, CaseKind, DeadlineKind
from shared.contracts.cases import PartyRole
from shared.db.transaction import Transaction
from shared.web.formats import cn_date

_TOLD = (DeadlineKind.STATUTORY_LIMIT, DeadlineKind.PRESERVATION_BEGIN, *sorted(REVIEWS))
"""The limits of the law by which a case is to be done with, or begun."""
_TENTATIVE = "（暂定，待该年放假安排公布后确定）"

Running = Mapping[DeadlineKind, Clock]


def told_of_limits(kind: CaseKind) -> Publication:
    """Whoever is told of the case is told how long it takes."""
    audience = tuple(role for role in PartyRole if kind.owed[role])
    return Publication(audience, notify=True, carried_out=True)


def day_of(clock: Clock) -> str:
    """Its last day in words, and whether that is certain."""
    return f"{cn_date(clock.due_on)}{_TENTATIVE if clock.provisional else ''}"


async def running_limits(tx: Transaction, case: Case) -> Running:
    """The limits of which the parties know, as they run now; as long as nobody said the ground they know of none."""
    if case.kind.awaits_ground:
        return {}
    rows = {row.kind: row for row in await deadlines.current(tx.conn, case.case_id) if row.met_at is None}
    return {kind: rows[kind] for kind in _TOLD if kind in rows}


async def tell_corrected(kit: StageKit, tx: Transaction, case: Case, before: Running, why: str) -> None:
    """Tell the parties of limits that a correction moved. Before a judge has the case nobody was told of any."""
    kind, now = case.kind, await running_limits(tx, case)
    moved = [_words(before.get(clock), row) for clock, row in now.items() if _differs(before.get(clock), row)]
    if not moved or case.assigned_at is None or case.silent or case.closed_on is not None:
        return
    publication, text = told_of_limits(kind), "".join([why, *moved])
    note = Note(EntryKind.LIMIT_TOLD, text, plain={"published": published_facts(publication)})
    await publish(kit, tx, case.case_id, await write(kit, tx, case.case_id, note), publication, text)


def _differs(old: Clock | None, new: Clock) -> bool:
    return old is None or bool(old.due_on != new.due_on)


def _words(old: Clock | None, new: Clock) -> str:
    name = new.kind.label
    found = f"于{day_of(new)}届满" if old is None else f"由{cn_date(old.due_on)}改为{day_of(new)}届满"
    return f"“{name}”{found}。{new.rule}。依据：{new.article}。"
