"""Parties are told what becomes of a limit that they know, as of one that was made longer: 执行公开, item 13."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

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


@dataclass(frozen=True)
class Cause:
    """Why limits move: `why` opens the sentence. `was`: what the case was until now, where its facts were corrected.

    `said`: the clocks of which the parties are told apart.
    """

    why: str = "经重新核算，"
    was: CaseKind | None = None
    said: Collection[DeadlineKind] = ()


ANEW = Cause()


@dataclass(frozen=True)
class Change:
    """The clocks as they stood and as they stand, those that still run, and what moved them."""

    before: Sequence[Clock]
    after: Sequence[Clock]
    running: Sequence[Clock]
    cause: Cause


def told_of_limits(kind: CaseKind) -> Publication:
    """Whoever is told of the case is told how long it takes."""
    audience = tuple(role for role in PartyRole if kind.owed[role])
    return Publication(audience, notify=True, carried_out=True)


def day_of(clock: Clock) -> str:
    """Its last day in words, and whether that is certain."""
    return f"{cn_date(clock.due_on)}{_TENTATIVE if clock.provisional else ''}"


async def tell_changes(kit: StageKit, tx: Transaction, case: Case, change: Change) -> None:
    """Tell the parties of limits they know of that moved, became certain or were taken away, by whatever cause.

    Before a judge has the case nobody was told of any; of a case that was carried over, only what was told apart.
    """
    said = change.cause.said
    await deadlines.set_told(tx.conn, [row.id for row in change.running if row.kind in said])
    if case.assigned_at is None or case.closed_on is not None:
        return
    told, lines = _lines(case, change)
    publication = told_of_limits(case.kind)
    if not lines or not publication.audience:
        return
    await deadlines.set_told(tx.conn, [row.id for row in told])
    text = "".join([change.cause.why, *lines])
    note = Note(EntryKind.LIMIT_TOLD, text, plain={"published": published_facts(publication)})
    await publish(kit, tx, case.case_id, await write(kit, tx, case.case_id, note), publication, text)


def _lines(case: Case, change: Change) -> tuple[list[Clock], list[str]]:
    """The clocks whose days are told now, and every sentence."""
    kind, was = case.kind, change.cause.was or case.kind
    before = _shown(was, [row for row in change.before if row.met_at is None])
    now, standing = _shown(kind, change.running), _shown(kind, change.after)
    gone = [row for row in before.values() if row.kind not in standing and _is_known(case, row, None, change)]
    moved = [row for row in now.values() if _differs(before.get(row.kind), row)]
    told = [row for row in moved if _is_known(case, before.get(row.kind), row, change)]
    lines = [_gone(case, row) for row in gone] + [_words(before.get(row.kind), row) for row in told]
    if kind.limit and kind.limit != was.limit and not told and not case.silent:
        lines.append(kind.limit)
    return told, lines


def _shown(kind: CaseKind, clocks: Sequence[Clock]) -> dict[DeadlineKind, Clock]:
    """The limits of which parties can know; as long as nobody said the ground they know of none of a review."""
    hidden = REVIEWS if kind.awaits_ground else frozenset()
    return {row.kind: row for row in clocks if (row.told or row.kind in _TOLD) and row.kind not in hidden}


def _is_known(case: Case, old: Clock | None, new: Clock | None, change: Change) -> bool:
    """Whether the parties go by it: told apart, or a certain day that their letters and pages name.

    Whoever corrects a fact tells of a tentative day and of a new one, too.
    """
    found = [row for row in (old, new) if row is not None]
    if any(row.kind in change.cause.said for row in found):
        return False
    if any(row.told for row in found):
        return True
    if case.silent:
        return False
    return change.cause.was is not None or (old is not None and not old.provisional)


def _differs(old: Clock | None, new: Clock) -> bool:
    return old is None or (old.due_on, old.provisional) != (new.due_on, new.provisional)


def _gone(case: Case, old: Clock) -> str:
    unknown = old.kind in case.kind.waiting and case.received_on is None
    later = "收到申请的日期登记后，本院另行告知。" if unknown else ""
    return f"“{old.kind.label}”原定于{_day(old)}届满，现不再适用。{later}"


def _day(clock: Clock) -> str:
    return f"{cn_date(clock.due_on)}{'（暂定）' if clock.provisional else ''}"


def _words(old: Clock | None, new: Clock) -> str:
    if old is None:
        found = f"于{day_of(new)}届满"
    elif old.due_on != new.due_on:
        found = f"由{_day(old)}改为{day_of(new)}届满"
    else:
        found = f"仍于{day_of(new)}届满" if new.provisional else f"原暂定于{cn_date(new.due_on)}届满，现已确定"
    return f"“{new.kind.label}”{found}。{new.rule}。依据：{new.article}。"
