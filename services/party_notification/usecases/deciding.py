"""What only a person can decide: a delivery whose fate nobody knows, and the letters on paper."""

from collections.abc import Sequence
from datetime import date, datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import Row

from services.party_notification.domain.delivery import Channel, Seen, State
from services.party_notification.domain.next_step import Done, GoPaper, RetryAt, Step
from services.party_notification.domain.notices import Kind
from services.party_notification.store import cases, notices, paper, sending
from services.party_notification.usecases.effects import Effects, about, judge
from services.party_notification.usecases.facts import NotificationKit
from services.party_notification.usecases.observing import Sighting, note
from services.party_notification.usecases.own_cases import refuse_own
from shared.clock import court_date
from shared.contracts.notices import NoticeSent
from shared.db.transaction import Transaction
from shared.errors import Conflict, Fault, Invalid, NotFound
from shared.http.auth import Caller


class Ruling(StrEnum):
    """What an officer decides on a delivery of unknown fate; `ON_PAPER` also of a mail that came back after all."""

    ARRIVED = "arrived"
    SEND_AGAIN = "send_again"
    ON_PAPER = "on_paper"


_ARRIVED_BY_OWN = "您是或者曾经是本案的承办人员，不能认定本案的邮件或短信已经送到，请由其他人员核实，或者改用纸质送达。"
_HANDED_BY_OWN = "您承办或者曾经承办本案。当面领取没有邮件编号可查，请由不承办本案的立案人员交付并登记，或者邮寄。"


async def rule(kit: NotificationKit, delivery_id: UUID, ruling: Ruling, remark: str, caller: Caller) -> None:
    """Carry out the officer's decision.

    Raises NotFound, Conflict when there is nothing to decide, and Forbidden for whoever works the case or did, where
    the letter is to count as arrived: nothing but the officer's word says so.
    """
    async with kit.db.begin() as tx:
        row = await sending.lock_delivery(tx.conn, delivery_id)
        if row is None:
            raise NotFound("no_such_delivery", "没有这条发送记录。")
        if row.step != "person" and not _came_back(row, ruling):
            raise Conflict("not_for_decision", "这条发送记录已经处理或仍在自动处理，无需决定。请刷新页面。")
        if ruling is Ruling.ARRIVED:
            await refuse_own(tx, row.case_id, caller, _ARRIVED_BY_OWN)
        seen = Seen.RULED_ARRIVED if ruling is Ruling.ARRIVED else Seen.RULED_NOT_ARRIVED
        follows = _follows(ruling, await sending.machine_time(tx.conn))
        # The remark is free text and may name people: it rests sealed with the sighting.
        told = Sighting(seen, detail="由工作人员认定。", raw=remark, by=caller.staff_id, decided=follows)
        await note(kit, tx, delivery_id, told)


def _came_back(row: Row[Any], ruling: Ruling) -> bool:
    """A mail that a server took may be returned later, or never read: only a person learns of it."""
    taken = row.channel == Channel.MAIL and row.state in {State.SENT, State.DELIVERED}
    return bool(taken and ruling is Ruling.ON_PAPER)


def _follows(ruling: Ruling, now: datetime) -> Step:
    match ruling:
        case Ruling.ARRIVED:
            return Done()
        case Ruling.SEND_AGAIN:
            return RetryAt(now)
        case Ruling.ON_PAPER:
            return GoPaper(now, "由工作人员决定改用纸质送达。")


class PaperAct(StrEnum):
    """What became of letters on the paper worklist."""

    POSTED = "posted"
    SERVED = "served"
    RETURNED = "returned"


_ALLOWED = {
    PaperAct.POSTED: {"to_print", "returned"},
    PaperAct.SERVED: {"to_print", "posted"},
    PaperAct.RETURNED: {"posted"},
}


async def record_paper(
    kit: NotificationKit, paper_id: UUID, act: PaperAct, on: date | None, tracking: str | None, caller: Caller
) -> None:
    """Record posting (with its tracking number), delivery (with its day) or return of letters.

    Raises NotFound, Conflict for an act that the state forbids, Invalid for a missing or future day, and Forbidden for
    whoever works the case or did, of letters handed over in the court: a mail's number anybody can look up, of those
    nothing but the clerk's word says that they were.
    """
    async with kit.db.begin() as tx:
        row = await paper.lock(tx.conn, paper_id)
        if row is None:
            raise NotFound("no_such_paper", "没有这份纸质送达任务。")
        if row.state not in _ALLOWED[act]:
            raise Conflict("paper_state", "这份文书的当前状态不能这样登记，请刷新页面后核对。")
        carried = await paper.notices_on(tx.conn, paper_id)
        if act is not PaperAct.RETURNED and row.state != PaperAct.POSTED:
            await _may_leave(tx, row, carried, (act, caller))
        written = max((court_date(notice.issued_at) for notice in carried if notice.issued_at), default=date.min)
        _check(act, on, tracking, (written, court_date(tx.now)))
        values: dict[str, Any] = {"state": act.value}
        if act is PaperAct.POSTED:
            values |= {"posted_at": tx.now, "tracking": tracking}
        if act is PaperAct.SERVED:
            values |= {"served_on": on}
        await paper.change(tx.conn, paper_id, values)
        body = {"paper_id": str(paper_id), "by": str(caller.staff_id), "on": None if on is None else on.isoformat()}
        effects = Effects([(f"paper.{act}", body)])
        for notice in carried:
            # What is handed over at the counter is sent by that: the court's duty to send is done.
            if act is not PaperAct.RETURNED and await notices.set_sent(tx.conn, notice.notice_id, tx.now):
                effects.events.append(NoticeSent(**about(notice), channel="paper", sent_at=tx.now))
        await judge(tx, carried, effects)
        await effects.tell(tx, row.case_id)


async def _may_leave(
    tx: Transaction, row: Row[Any], carried: Sequence[Row[Any]], deed: tuple[PaperAct, Caller]
) -> None:
    """Raise Conflict for letters that are recalled, or whose recipient is no party; a correction always may.

    And Forbidden for what whoever works the case says that they handed over.
    """
    act, caller = deed
    if act is PaperAct.SERVED:
        await refuse_own(tx, row.case_id, caller, _HANDED_BY_OWN)
    if all(notice.kind == Kind.MISFILED_CORRECTION for notice in carried):
        return
    case, party = await cases.get_case(tx.conn, row.case_id), await cases.get_party(tx.conn, row.party_id)
    if case is not None and case.recalled_at is not None:
        raise Conflict("notices_recalled", "本案的通知已经撤回，解除撤回前请不要寄出或者交付。")
    if party is not None and party.misfiled_at is not None:
        raise Conflict("party_misfiled", "收件人系误登记，不是本案当事人，请不要寄出或者交付。")


def _check(act: PaperAct, on: date | None, tracking: str | None, days: tuple[date, date]) -> None:
    """`days`: the first and the last on which a letter can have been handed over."""
    written, today = days
    faults = []
    if act is PaperAct.POSTED and not tracking:
        faults.append(Fault("tracking", "请填写邮件编号。"))
    if act is PaperAct.SERVED and on is None:
        faults.append(Fault("on", "请填写签收日期。"))
    if on is not None and on > today:
        faults.append(Fault("on", "日期不能晚于今天。"))
    if on is not None and on < written:
        faults.append(Fault("on", "日期不能早于文书制作的日期。"))
    if faults:
        raise Invalid(faults)
