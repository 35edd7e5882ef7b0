"""An approved extension is recorded: the clock moves, the log says who approved it and why."""

from services.stage_tracking.domain.acts import ExtendLimit
from services.stage_tracking.domain.deadlines import Longer
from services.stage_tracking.domain.extending import extension_faults, most_units, refuse_extension
from services.stage_tracking.domain.log import EntryKind, Note
from services.stage_tracking.settings import StageKit
from services.stage_tracking.store import deadlines, extensions
from services.stage_tracking.store.rows import Case
from services.stage_tracking.usecases.clocks import court_calendar, keep_clocks
from services.stage_tracking.usecases.journal import LogEntry, publish, published_facts, write
from services.stage_tracking.usecases.limits import Cause, day_of, told_of_limits
from services.stage_tracking.usecases.recomputing import bring_up_to_date
from shared.calendar.periods import Length
from shared.clock import court_date
from shared.contracts.case_kinds import WITHIN
from shared.contracts.reviews import Extension
from shared.db.transaction import Transaction
from shared.errors import Conflict, Invalid
from shared.http.auth import Caller
from shared.web.formats import cn_date


async def extend(kit: StageKit, tx: Transaction, caller: Caller, case: Case, deed: ExtendLimit) -> LogEntry:
    """Make a limit longer, once, and tell the parties. Raises Conflict where the law knows no extension, Invalid."""
    if case.closed_on is not None:
        raise Conflict("case_closed", "案件已经结案，不能延长期限。")
    await bring_up_to_date(kit, tx, case.case_id)
    kind, extended = case.kind, await extensions.of_case(tx.conn, case)
    running = {clock.kind: clock.limit for clock in await deadlines.current(tx.conn, case.case_id)}
    limit = running.get(deed.clock)
    law = refuse_extension(kind, deed.clock, limit, extended)
    assert limit is not None  # noqa: S101 - refused otherwise
    outer = running.get(WITHIN[deed.clock]) if deed.clock in WITHIN else None
    most = Length(most_units(limit, law, outer, court_calendar()), law.most.unit)
    faults = extension_faults(deed, limit, most, court_date(tx.now))
    if faults:
        raise Invalid(faults)
    longer = Longer(Length(deed.count, law.most.unit), law.article, deed.approved_on)
    await extensions.put(tx.conn, case.case_id, deed.clock, longer, caller.staff_id, tx.now)
    approval = f"{cn_date(deed.approved_on)}批准延长{longer.length.words}"
    title, publication = f"延长“{deed.clock.label}”", told_of_limits(kind)
    text = f"{deed.approved_by}（{law.approver}）于{approval}。{_why(deed, law)}"
    told = {"published": published_facts(publication)}
    note = Note(EntryKind.EXTENDED, text, title, deed.evidence, caller.staff_id, caller.name, told)
    entry = await write(kit, tx, case.case_id, note)
    await keep_clocks(kit, tx, case.case_id, cause=Cause(f"因“{deed.clock.label}”延长，", said=(deed.clock,)))
    now = {row.kind: row for row in await deadlines.current(tx.conn, case.case_id)}[deed.clock]
    moved = f"由{cn_date(limit.due_on)}延至{day_of(now)}"
    words = f"“{deed.clock.label}”经本院{law.approver}于{approval}，{moved}。{_why(deed, law)}"
    await publish(kit, tx, case.case_id, entry, publication, words)
    return entry


def _why(deed: ExtendLimit, law: Extension) -> str:
    reason = deed.reason.rstrip("。；;.")  # typed with or without its stop
    return f"理由：{reason}。依据：{law.article}。"
