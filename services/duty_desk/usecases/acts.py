"""The acts of the duty desk: take, accept the evidence, act, dismiss; and the clocks that ring."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row

from services.duty_desk import store
from services.duty_desk.domain import (
    Clock,
    Moments,
    Patience,
    Source,
    check_accept,
    check_act,
    check_dismiss,
    check_progress,
    check_take,
)
from services.duty_desk.settings import DeskKit
from services.duty_desk.usecases.queue import changed, no_such_item
from shared.contracts.desk import DeskClockRang, EvidenceAccepted, ItemActed, ItemDismissed, ItemTaken
from shared.contracts.envelope import Sealed
from shared.contracts.operations import TroubleReported
from shared.contracts.tips import TipGround
from shared.db.transaction import Transaction
from shared.errors import Fault, Invalid
from shared.http.auth import Caller
from shared.runtime.claims import work_through


def patience(kit: DeskKit) -> Patience:
    """How long the clocks run at this court."""
    return kit.settings.patience(kit.court.triage_minutes)


def _ground(row: Any) -> TipGround | None:
    return TipGround(row.ground) if row.ground else None


async def enter(tx: Transaction, kit: DeskKit, row: dict[str, Any]) -> None:
    """A new item on the desk; a trouble that lies there already gets no second one."""
    ground = TipGround(row["ground"]) if row.get("ground") else None
    due_at = patience(kit).triage_due(ground, row["arrived_at"])
    if await store.add_item(tx.conn, row):
        await store.start_clock(tx.conn, row["item_id"], Clock.TRIAGE, due_at)
    await changed(tx)


async def enter_trouble(tx: Transaction, kit: DeskKit, event: TroubleReported) -> None:
    """The product itself is in trouble. One cause may be told many times; it must not bury the tips."""
    mark, *former = kit.keyring.blind_indexes(f"{event.service}/{event.kind}/{event.summary}", "trouble")
    row = {
        "item_id": event.trouble_id,
        "source": Source.TROUBLE.value,
        "number": event.kind,
        "body": kit.keyring.seal(event.summary, str(event.trouble_id)),
        "arrived_at": event.noticed_at,
        "trouble": mark,
    }
    if former:
        await store.renew_mark(tx.conn, mark, former)
    await enter(tx, kit, row)


async def take(kit: DeskKit, item_id: UUID, caller: Caller) -> None:
    """The caller is on it: the triage clock gives way to that of the check. Raises NotFound, Conflict."""
    async with kit.db.begin() as tx:
        row, moments = await _locked(tx, item_id)
        check_take(moments)
        values = {"taken_at": tx.now, "taken_by_name": caller.name}
        await store.change_item(tx.conn, item_id, values)
        due_at = patience(kit).check_due(_ground(row), row.arrived_at, tx.now)
        await _next_clock(tx, item_id, Clock.CHECK, due_at)
        await tx.emit(ItemTaken(item_id=item_id, source=row.source, taken_by=caller.staff_id, taken_at=tx.now))
        await changed(tx)


async def accept_evidence(kit: DeskKit, item_id: UUID, case_number: str | None, caller: Caller) -> None:
    """The evidence is accepted and the clock to the deed starts. Raises NotFound, Conflict, Invalid (case number)."""
    async with kit.db.begin() as tx:
        row, moments = await _locked(tx, item_id)
        check_accept(moments)
        case = await _case(tx, case_number)
        due_at = patience(kit).deed_due(TipGround(row.ground), tx.now)
        linked = {"case_id": case.case_id, "case_number": case.case_number} if case else {}
        values = {"accepted_at": tx.now, "accepted_by_name": caller.name, **linked}
        await store.change_item(tx.conn, item_id, values)
        await _next_clock(tx, item_id, Clock.DEED, due_at)
        event = EvidenceAccepted(
            item_id=item_id,
            source=row.source,
            case_id=case.case_id if case else None,
            accepted_by=caller.staff_id,
            accepted_at=tx.now,
            due_at=due_at,
        )
        await tx.emit(event)
        await changed(tx)


async def _case(tx: Transaction, case_number: str | None) -> Row[Any] | None:
    if case_number is None:
        return None
    case = await store.find_case(tx.conn, case_number)
    if case is None:
        raise Invalid([Fault("case_number", "没有这个案号的案件，请核对；暂不清楚可以不填。")])
    return case


async def _next_clock(tx: Transaction, item_id: UUID, clock: Clock, due_at: datetime) -> None:
    await store.stop_clocks(tx.conn, item_id, tx.now)
    await store.start_clock(tx.conn, item_id, clock, due_at)


async def act(kit: DeskKit, item_id: UUID, deed: str, progress: str | None, caller: Caller) -> None:
    """The deed is done; every clock stops. Raises NotFound, Conflict, Invalid for a progress that reveals a tip."""
    check_progress(progress)
    async with kit.db.begin() as tx:
        row, moments = await _locked(tx, item_id)
        check_act(moments)
        in_time = tx.now <= await store.running_due(tx.conn, item_id)
        kept = kit.keyring.seal(deed, str(item_id))
        await _close(tx, item_id, caller, {"acted_at": tx.now, "in_time": in_time, "deed": kept})
        told = row.case_id is not None and progress is not None
        event = ItemActed(
            item_id=item_id,
            source=row.source,
            case_id=row.case_id,
            acted_by=caller.staff_id,
            acted_at=tx.now,
            in_time=in_time,
            deed=Sealed(kit.exchange.seal(deed, str(item_id))),
            progress=Sealed(kit.exchange.seal(progress or "", str(row.case_id))) if told else None,
        )
        await tx.emit(event)
        await changed(tx)


async def dismiss(kit: DeskKit, item_id: UUID, reason: str, caller: Caller) -> None:
    """The evidence was checked and is not accepted. Raises NotFound, Conflict."""
    async with kit.db.begin() as tx:
        row, moments = await _locked(tx, item_id)
        check_dismiss(moments)
        because = kit.keyring.seal(reason, str(item_id))
        await _close(tx, item_id, caller, {"dismissed_at": tx.now, "dismissed_because": because})
        event = ItemDismissed(item_id=item_id, source=row.source, dismissed_by=caller.staff_id, dismissed_at=tx.now)
        await tx.emit(event)
        await changed(tx)


async def _close(tx: Transaction, item_id: UUID, caller: Caller, values: dict[str, Any]) -> None:
    await store.change_item(tx.conn, item_id, {"closed_at": tx.now, "closed_by_name": caller.name, **values})
    await store.stop_clocks(tx.conn, item_id, tx.now)


async def ring_due_clocks(kit: DeskKit) -> int:
    """Ring every clock that ran out, each exactly once; how many. Raises ExceptionGroup for those that cannot ring."""

    async def claim(tx: Transaction, stuck: Row[Any] | None) -> Row[Any] | None:
        after = None if stuck is None else (stuck.due_at, stuck.item_id)
        return await store.claim_due(tx.conn, tx.now, after)

    return await work_through(kit.db, claim, _ring, lambda row: {"item_id": row.item_id, "clock": row.clock})


async def _ring(tx: Transaction, row: Row[Any]) -> None:
    await store.ring(tx.conn, row.item_id, row.clock, tx.now)
    await tx.emit(DeskClockRang(item_id=row.item_id, source=row.source, clock=row.clock, due_at=row.due_at))
    await changed(tx)


async def _locked(tx: Transaction, item_id: UUID) -> tuple[Row[Any], Moments]:
    row = await store.lock_item(tx.conn, item_id)
    if row is None:
        raise no_such_item()
    return row, Moments(Source(row.source), row.taken_at, row.accepted_at, row.closed_at)
