"""The court's account and telephones: one person proposes a change, another confirms it, everybody may see it."""

from dataclasses import dataclass
from uuid import UUID

from services.staff.domain.court import CourtChange
from services.staff.store import court as store
from services.staff.usecases.kit import StaffKit
from shared.contracts.staff import ChangeState, CourtData, CourtDataChanged
from shared.db.lists import Part
from shared.db.transaction import Transaction, new_id
from shared.errors import Conflict, Fault, Forbidden, Invalid, NotFound
from shared.http.auth import Caller
from shared.http.versions import Edit, mark, refuse_stale, state


@dataclass(frozen=True)
class CourtView:
    """What holds, the version of it, and the change that waits for a second person."""

    data: CourtData
    version: str
    pending: CourtChange | None


@dataclass(frozen=True)
class Proposal:
    """What somebody wants to hold instead, why, and which version they have read."""

    data: CourtData
    reason: str
    edit: Edit


def first_version(kit: StaffKit) -> CourtData:
    """What holds until a change is confirmed: the environment's values."""
    return CourtData(**{name: getattr(kit.court, name) for name in CourtData.model_fields})


async def look(kit: StaffKit) -> CourtView:
    """What holds, and what waits."""
    async with kit.db.read() as conn:
        data = await store.confirmed_data(conn, kit.court.code) or first_version(kit)
        pending = await store.pending_change(conn, kit.court.code)
    return CourtView(data, mark(kit.keyring, kit.court.code, data.model_dump()), pending)


async def history(kit: StaffKit, state: str, part: Part) -> tuple[list[CourtChange], str | None]:
    """Changes, newest first unless asked otherwise, and where the list goes on."""
    async with kit.db.read() as conn:
        return await store.court_change_page(conn, kit.court.code, state, part)


async def propose(kit: StaffKit, caller: Caller, proposal: Proposal) -> CourtChange:
    """Ask for a change. Raises Invalid when nothing would change, Conflict while another waits, Stale."""
    async with kit.db.begin() as tx:
        await store.lock_court(tx.conn, kit.court.code)
        before = await store.confirmed_data(tx.conn, kit.court.code) or first_version(kit)
        last = await store.changed_by(tx.conn, kit.court.code)
        now = state(kit.keyring, kit.court.code, before.model_dump(), last)
        refuse_stale(proposal.edit, now, proposal.data.model_dump())
        if proposal.data == before:
            raise Invalid([Fault("", "内容与现在的设置相同，没有需要变更的。")])
        if await store.pending_change(tx.conn, kit.court.code) is not None:
            raise Conflict("change_pending", "已有一项变更等待确认，请先由另一人确认或退回，再提出新的变更。")
        change = CourtChange(
            id=new_id(),
            court=kit.court.code,
            before=before,
            proposed=proposal.data,
            reason=proposal.reason,
            state=ChangeState.PROPOSED,
            proposed_by=caller.staff_id,
            proposer=caller.name,
            proposed_at=tx.now,
        )
        await store.put_court_change(tx.conn, change)
        await _tell(tx, change)
    return change


async def decide(kit: StaffKit, caller: Caller, change_id: UUID, outcome: ChangeState) -> CourtChange:
    """Confirm, reject or withdraw a change that waits.

    Raises NotFound; Conflict when it was decided already; Forbidden for who confirms or rejects their own, and for who
    withdraws another's.
    """
    async with kit.db.begin() as tx:
        await store.lock_court(tx.conn, kit.court.code)
        change = await store.court_change(tx.conn, change_id)
        if change is None:
            raise NotFound("change_not_found", "没有这项变更，请从变更记录中选择。")
        own = change.proposed_by == caller.staff_id
        if own is not (outcome is ChangeState.WITHDRAWN):
            raise _not_theirs(own=own)
        if change.state is not ChangeState.PROPOSED:
            raise Conflict("change_decided", "这项变更已经处理，请刷新页面查看结果。")
        decided = change.decided(outcome, caller.staff_id, caller.name, tx.now)
        await store.put_court_change(tx.conn, decided)
        await _tell(tx, decided)
    return decided


def _not_theirs(*, own: bool) -> Forbidden:
    if own:
        return Forbidden("own_change", "自己提出的变更须由另一人确认或退回，您可以撤销。")
    return Forbidden("not_own_change", "只有提出人可以撤销这项变更。")


async def _tell(tx: Transaction, change: CourtChange) -> None:
    confirmed = change.state is ChangeState.CONFIRMED
    told = CourtDataChanged(
        court=change.court,
        change_id=change.id,
        state=change.state,
        data=change.proposed if confirmed else change.before,
        proposed=change.proposed,
        fields=change.fields,
        proposed_by=change.proposed_by,
        proposer=change.proposer,
        decided_by=change.decided_by,
        decider=change.decider,
        at=tx.now,
    )
    await tx.emit(told)
