"""Service of the execution notices: milestone and clocks follow from what stands now, and are taken back with it."""

from collections.abc import Callable
from datetime import date
from uuid import UUID

from services.stage_tracking.domain.log import EntryKind, Note
from services.stage_tracking.domain.serving import NOTHING, Standing, of_case, of_party
from services.stage_tracking.settings import StageKit
from services.stage_tracking.store import cases, serving, stages
from services.stage_tracking.store.rows import PlannedMilestone
from services.stage_tracking.usecases.clocks import keep_clocks
from services.stage_tracking.usecases.journal import write
from shared.contracts.notices import NoticeSent, NoticeServed, NoticeUnserved
from shared.contracts.stages import Milestone, MilestoneReached, MilestoneUndone
from shared.db.transaction import Transaction
from shared.errors import NotYet
from shared.web.formats import cn_date


async def take_sent(kit: StageKit, tx: Transaction, event: NoticeSent) -> None:
    """Once every respondent's execution notice is on its way, its clocks stop. Raises NotYet."""
    await _change(tx, event, lambda notice: notice.sent(event.sent_at))
    await keep_clocks(kit, tx, event.case_id)


async def take_served(kit: StageKit, tx: Transaction, event: NoticeServed) -> None:
    """A notice is served, or on another day than was told before. Raises NotYet."""
    before, _ = await _change(tx, event, lambda notice: notice.served(event.served_on))
    moved = await keep_service(kit, tx, event.case_id)
    if moved or before.sent_at is None:
        await keep_clocks(kit, tx, event.case_id)


async def take_unserved(kit: StageKit, tx: Transaction, event: NoticeUnserved) -> None:
    """The notice must be sent and served anew; those of others, and others of this party, stand. Raises NotYet."""
    before, left = await _change(tx, event, lambda _: NOTHING)
    is_lost = before.served_on is not None and left.served_on is None
    await keep_service(kit, tx, event.case_id, lost="被执行人的执行通知书失去送达效力，须重新送达" if is_lost else None)
    await keep_clocks(kit, tx, event.case_id, undone=before.since)


async def lose_party(kit: StageKit, tx: Transaction, case_id: UUID, party: Standing) -> None:
    """A party that never belonged to the case counts no more: neither for what is done, nor for what is not."""
    others = cases.respondents(await cases.parties_of(tx.conn, case_id))
    is_lost = party.served_on is not None and not any(row.notice_served_on for row in others)
    await keep_service(kit, tx, case_id, lost="被送达的被执行人系误登记" if is_lost else None)
    await keep_clocks(kit, tx, case_id, undone=party.since)


async def _change(
    tx: Transaction, event: NoticeSent | NoticeServed | NoticeUnserved, how: Callable[[Standing], Standing]
) -> tuple[Standing, Standing]:
    """Change what stands of a notice; what stood of its party until then, and what does now."""
    found = await serving.of_party(tx.conn, event.party_id)
    if found is None:
        raise NotYet(f"party {event.party_id}")
    party, notices = found
    # What was known of a party before its notices were kept one by one belongs to the first that is heard of.
    old = notices.get(event.notice_id, NOTHING if notices else party)
    notices[event.notice_id] = how(old)
    await serving.put(tx.conn, event.notice_id, event.party_id, notices[event.notice_id])
    left = of_party(notices.values())
    await serving.set_party(tx.conn, event.party_id, left)
    return party, left


async def keep_service(kit: StageKit, tx: Transaction, case_id: UUID, lost: str | None = None) -> bool:
    """Bring the milestone in line with the notices that stand; whether it changed.

    `lost`: why service may be undone. A respondent added later undoes nothing, nor does what a person recorded
    by a document of their own.
    """
    rows = cases.respondents(await cases.parties_of(tx.conn, case_id))
    day = of_case([serving.party_standing(row) for row in rows])
    known = await stages.milestone(tx.conn, case_id, Milestone.SERVICE)
    if known is None:
        return False
    if known.actual_on == day or (known.actual_on is not None and not known.by_notices):
        return False
    if day is not None:
        await _reach(kit, tx, known, day)
    elif lost is not None and known.actual_on is not None:
        await _undo(kit, tx, case_id, known.actual_on, lost)
    return day is not None or lost is not None


async def _reach(kit: StageKit, tx: Transaction, known: PlannedMilestone, day: date) -> None:
    await stages.set_service(tx.conn, known.case_id, day)
    await tx.emit(MilestoneReached(case_id=known.case_id, milestone=Milestone.SERVICE, on=day))
    moved = "" if known.actual_on is None else f"（原为{cn_date(known.actual_on)}）"
    text = f"全部被执行人的执行通知书已送达，完成日期{cn_date(day)}{moved}。"
    await write(kit, tx, known.case_id, Note(EntryKind.SERVED, text))


async def _undo(kit: StageKit, tx: Transaction, case_id: UUID, was: date, why: str) -> None:
    await stages.set_service(tx.conn, case_id, None)
    await tx.emit(MilestoneUndone(case_id=case_id, milestone=Milestone.SERVICE))
    text = f"“送达”节点（原完成日期{cn_date(was)}）不再成立：{why}。"
    await write(kit, tx, case_id, Note(EntryKind.SERVICE_UNDONE, text))
