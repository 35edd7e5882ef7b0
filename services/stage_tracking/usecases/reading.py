"""Reading: a case with its clocks, its log, the board, a person's work."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from sqlalchemy import Row
from sqlalchemy.ext.asyncio import AsyncConnection

from services.stage_tracking.domain.deadlines import CaseDates
from services.stage_tracking.domain.extending import extendable
from services.stage_tracking.domain.log import EntryKind
from services.stage_tracking.settings import StageKit
from services.stage_tracking.store import board, cases, deadlines, extensions, stages, tasks
from services.stage_tracking.store.board import Filter
from services.stage_tracking.store.rows import Case, Clock, PlannedMilestone
from services.stage_tracking.store.tables import LEDGER
from services.stage_tracking.store.tasks import Wanted
from services.stage_tracking.usecases.journal import LogEntry, opened
from services.stage_tracking.usecases.tasks import SOON, TaskView, view
from services.stage_tracking.usecases.verdict import Verdict, verdict
from shared.contracts.case_kinds import CaseKind, DeadlineKind
from shared.contracts.reviews import Extension
from shared.db.lists import PAGE, Part
from shared.errors import Forbidden, NotFound
from shared.http.auth import Caller
from shared.ledger.chain import Entry, Head
from shared.ledger.store import read, read_head
from shared.powers import Action, Role


@dataclass(frozen=True)
class CaseView:
    """A case as the stages see it: rows of the store, the newest version of each clock."""

    case: Case
    periods: list[Row[Any]]
    milestones: list[PlannedMilestone]
    deadlines: list[Clock]
    tasks: list[TaskView]
    kind: CaseKind
    main_case: Case | None
    side_cases: list[Case]
    extendable: Mapping[DeadlineKind, Extension]
    waiting: tuple[DeadlineKind, ...]
    """The clocks that nobody can count, since the day of the receipt is not known."""


@dataclass(frozen=True)
class LogPage:
    """A part of the log; `verdict` says whether the whole of it holds, `next` where the log goes on.

    Only the first part's reading verifies the log: `verdict` is None for the others.

    `chain` are the same entries as they are stored; `head` is how far the whole chain reaches.
    """

    case: Case
    entries: list[LogEntry]
    next: int | None
    verdict: Verdict | None
    chain: list[Entry]
    head: Head

    @property
    def since(self) -> Head:
        """The place after which this part begins."""
        first = self.chain[0] if self.chain else None
        return self.head if first is None else Head(first.chain_id, first.position - 1, first.previous)


async def _found(conn: AsyncConnection, case_key: str) -> Case:
    case = await cases.find(conn, case_key)
    if case is None:
        raise NotFound("case_not_found", "没有这个案件，请核对案号。")
    return case


async def case_view(kit: StageKit, case_key: str) -> CaseView:
    """The case with this id or number. Raises NotFound."""
    async with kit.db.read() as conn:
        case = await _found(conn, case_key)
        kind, clocks = case.kind, await deadlines.current(conn, case.case_id)
        extended = await extensions.of_case(conn, case)
        dates = CaseDates(kind, case.filed_on, received_on=case.received_on, secured_on=case.secured_on)
        return CaseView(
            case=case,
            periods=await stages.periods_of(conn, case.case_id),
            milestones=(await stages.milestones_of(conn, [case.case_id]))[case.case_id],
            deadlines=clocks,
            tasks=[view(kit, row) for row in await tasks.of_case(conn, case.case_id)],
            kind=kind,
            main_case=None if case.main_case is None else await cases.find(conn, case.main_case),
            side_cases=await cases.belonging_to(conn, case.number),
            waiting=() if case.closed_on else dates.waiting,
            extendable={} if case.closed_on else extendable(kind, [clock.limit for clock in clocks], extended),
        )


async def done_work(kit: StageKit, caller: Caller, case_id: UUID, limit: int = 50) -> list[LogEntry] | None:
    """What was done in a case, newest first; None for whom the log is closed."""
    async with kit.db.read() as conn:
        reads = caller.can(Action.LOG_READ) and await cases.is_within(conn, case_id, caller.reach(Action.LOG_READ))
        if not reads:
            return None
        found = await stages.newest_entries(conn, case_id, (EntryKind.WORK, EntryKind.DUTY_ACTED), limit)
    return [opened(kit, case_id, entry) for entry in found]


async def refuse_beyond(kit: StageKit, caller: Caller, case_key: str) -> None:
    """Raises Forbidden for who reads the logs of other cases only, and NotFound."""
    async with kit.db.read() as conn:
        case = await _found(conn, case_key)
        if not await cases.is_within(conn, case.case_id, caller.reach(Action.LOG_READ)):
            handler = case.kind.handler.department
            reason = f"本案由{handler}办理，它的执行日志由{handler}和执行监督、管理人员查看；承办人可以查看自己的案件"
            raise Forbidden("not_within_reach", f"{reason}和被异议、复议的案件。")


async def log_page(kit: StageKit, case_key: str, cursor: int, limit: int) -> LogPage:
    """Log entries beyond a position; from the beginning also whether the whole log is intact. Raises NotFound."""
    async with kit.db.read() as conn:
        case = await _found(conn, case_key)
        found = await read(conn, LEDGER, str(case.case_id), cursor, limit + 1)
        found_out = None if cursor else await verdict(conn, str(case.case_id), kit.signing.keys)
        head = await read_head(conn, LEDGER, str(case.case_id))
    shown = [opened(kit, case.case_id, entry) for entry in found[:limit]]
    after_this = shown[-1].position if len(found) > limit else None
    return LogPage(case, shown, after_this, found_out, found[:limit], head)


@dataclass(frozen=True)
class BoardRow:
    """A case on the board with its milestones."""

    case: Row[Any]
    milestones: list[PlannedMilestone]


def wanted(
    kit: StageKit,
    state: str | None = None,
    period: str | None = None,
    judge: UUID | None = None,
    q: str | None = None,
) -> Filter:
    """A filter as of now."""
    now = kit.clock.now()
    return Filter(now, now + SOON, state, period, judge, q)


async def board_page(kit: StageKit, chosen: Filter, part: Part) -> tuple[list[BoardRow], str | None]:
    """Cases by urgency unless sorted otherwise, and where the list goes on."""
    async with kit.db.read() as conn:
        rows, after_this = await board.page(conn, chosen, part)
        reached = await stages.milestones_of(conn, [row.case_id for row in rows])
    return [BoardRow(row, reached[row.case_id]) for row in rows], after_this


@dataclass(frozen=True)
class BoardHead:
    """What stands above the board."""

    counts: Row[Any]
    judges: list[Row[Any]]


async def board_head(kit: StageKit, judge: UUID | None = None) -> BoardHead:
    """Counts of open cases, and the judges to choose from."""
    async with kit.db.read() as conn:
        return BoardHead(await board.counts(conn, wanted(kit, judge=judge)), await board.judges(conn))


@dataclass(frozen=True)
class WorkView:
    """What stands beside a person's list: how much, in groups; their cases' clocks; for management what nobody can do.

    `stock`: how many tasks belong to cases carried over from the old system, apart from `fresh`.
    """

    counts: Row[Any]
    fresh: int
    stock: int
    groups: list[Row[Any]]
    cases: list[Row[Any]]
    unowned: list[TaskView] | None


async def work_view(kit: StageKit, caller: Caller, chosen: Wanted, by: str) -> WorkView:
    """How much there is to do for the caller, and what ends first."""
    every = replace(chosen, state=None, rule=None, number="")
    async with kit.db.read() as conn:
        own, _ = await board.page(conn, wanted(kit, judge=caller.staff_id), Part(limit=10))
        orphans = await _orphans(kit, conn, every) if Role.MANAGEMENT in caller.roles else None
        halves = [(await tasks.counts(conn, replace(every, stock=stock))).open for stock in (False, True)]
        return WorkView(
            counts=await tasks.counts(conn, every),
            fresh=halves[0],
            stock=halves[1],
            groups=await tasks.grouped(conn, chosen, by, PAGE),
            cases=[row for row in own if row.next_due_at is not None],
            unowned=orphans,
        )


async def _orphans(kit: StageKit, conn: AsyncConnection, every: Wanted) -> list[TaskView]:
    rows, _ = await tasks.page(conn, replace(every, whose=tasks.unowned(), stock=None), Part())
    return [view(kit, row) for row in rows]
