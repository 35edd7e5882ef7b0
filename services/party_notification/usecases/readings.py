"""A document was opened at the party's page: weighed against where staff were signed in, or judged by a person."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any
from uuid import UUID

from pydantic import BaseModel, ValidationError
from sqlalchemy import Row

from services.party_notification.domain.notices import Kind
from services.party_notification.domain.readings import (
    IMPOSSIBLE,
    UNREADABLE,
    Opened,
    ReadingState,
    differs,
    doubt,
    impossible,
)
from services.party_notification.store import notices, readings, troubles
from services.party_notification.store.readings import Reading, StaffMark
from services.party_notification.store.troubles import Doubtful, Wanted
from services.party_notification.usecases.effects import Effects, about, judge
from services.party_notification.usecases.facts import NotificationKit
from services.party_notification.usecases.own_cases import refuse_own
from services.party_notification.usecases.views import ReadingView
from shared.clock import court_date
from shared.contracts.notices import ReadingDecided, ReadingDoubted
from shared.contracts.staff import StaffSeen
from shared.crypto.sealed import SealError
from shared.db.lists import Part
from shared.db.transaction import Transaction, new_id
from shared.errors import Conflict, Forbidden, NotFound
from shared.http.auth import Caller, PartyCaller
from shared.runtime.taking import UnfitError, take

READ_SIGNAL = "read"
_NOT_SO = "该记录的打开时间或者当事人与文书不符，不可能是本人阅读，请选择“不能认定”，并告知系统管理员核查对外进程。"


@dataclass(frozen=True)
class Whence:
    """Where a visitor comes from: the source address, the mark of the device."""

    source: str
    device: str | None


class _Evidence(BaseModel):
    """What is kept of a reading, sealed about its id."""

    source: str
    device: str | None
    visit: UUID
    entered_at: datetime
    read_at: datetime


_PLACE = "place"
"""What the keyed hash of where staff were signed in is for. Of the place itself nothing is kept."""


def _marks(kit: NotificationKit, place: str | None) -> tuple[str, ...]:
    """Under which hashes staff may have been seen there."""
    return () if place is None else kit.lookups.indexes(place, _PLACE)


def _evidence(kit: NotificationKit, reading_id: UUID, sealed: str) -> _Evidence | None:
    """The sealed evidence of a reading; None when that opens to nothing of the kind.

    The public pages write it: what a stolen one leaves there must stop no other reading.
    """
    try:
        return kit.keyring.open_model(_Evidence, sealed, f"{reading_id}/reading")
    except (SealError, ValidationError):
        return None


def _whence(kit: NotificationKit, reading_id: UUID, sealed: str) -> Whence | None:
    """Where a reading came from, by its evidence."""
    evidence = _evidence(kit, reading_id, sealed)
    return None if evidence is None else Whence(evidence.source, evidence.device)


def _places(kit: NotificationKit, whence: Whence | None) -> set[str]:
    """The hashes of address and device."""
    return set() if whence is None else {*_marks(kit, whence.source), *_marks(kit, whence.device)}


@dataclass(frozen=True)
class Opening:
    """A party opens a document."""

    notice_id: UUID
    party: PartyCaller
    whence: Whence


async def note_opening(kit: NotificationKit, tx: Transaction, opening: Opening) -> None:
    """Keep that a visit opened a document; what it means is weighed apart."""
    reading_id, party, whence = new_id(), opening.party, opening.whence
    evidence = _Evidence(
        source=whence.source, device=whence.device, visit=party.visit, entered_at=party.entered_at, read_at=tx.now
    )
    row = {
        "reading_id": reading_id,
        "notice_id": opening.notice_id,
        "party_id": party.party_id,
        "visit": party.visit,
        "read_at": tx.now,
        "evidence": kit.drop.seal(evidence.model_dump_json(), f"{reading_id}/reading"),
    }
    if await readings.add(tx.conn, row):
        tx.wake(READ_SIGNAL)


async def see_staff(kit: NotificationKit, tx: Transaction, event: StaffSeen) -> None:
    """Where a member of staff was signed in."""
    about_whom = str(event.staff_id)
    places = [kit.keyring.open(place, about_whom) for place in (event.source, event.device) if place is not None]
    row = {"staff_id": event.staff_id, "name": event.name, "seen_at": event.seen_at}
    marks = {kit.lookups.index(place, _PLACE) for place in places if place}
    await readings.see_staff(tx.conn, marks, row)
    await readings.forget_staff(tx.conn, tx.now - readings.KEPT)


async def weigh(kit: NotificationKit) -> bool:
    """Weigh the oldest reading that is new; whether there was one."""
    return await take(kit.db, readings.UNWEIGHED, partial(_weigh_each, kit)) > 0


async def _weigh_each(kit: NotificationKit, tx: Transaction, reading_ids: Sequence[UUID]) -> None:
    for reading_id in reading_ids:
        row = await readings.lock(tx.conn, reading_id)
        notice = None if row is None else await notices.get(tx.conn, row.notice_id)
        if row is None or notice is None:
            raise UnfitError("it names no notice")
        await _weigh(kit, tx, row, notice)


async def _weigh(kit: NotificationKit, tx: Transaction, row: Reading, notice: Row[Any]) -> None:
    why = impossible(_opened(row), notice.party_id, notice.issued_at, tx.now) or await _doubt(kit, tx, row)
    state = ReadingState.COUNTED if why is None else ReadingState.DOUBTFUL
    await readings.change(tx.conn, row.reading_id, {"state": state.value, "doubt": why})
    effects = Effects()
    if why is None:
        await _count(tx, row, notice, effects)
    else:
        told = {"reading_id": row.reading_id, "read_at": row.read_at, "reason": why}
        effects.events.append(ReadingDoubted(**about(notice), **told))
        effects.deeds.append(("notice.reading_doubted", _body(row) | {"because": why}))
    await effects.tell(tx, notice.case_id)


def _opened(row: Reading) -> Opened:
    return Opened(row.party_id, row.visit, row.read_at)


async def _doubt(kit: NotificationKit, tx: Transaction, row: Reading) -> str | None:
    evidence = _evidence(kit, row.reading_id, row.evidence)
    if evidence is None:
        return UNREADABLE
    sources, devices = _marks(kit, evidence.source), _marks(kit, evidence.device)
    there = await readings.staff_at(tx.conn, [*sources, *devices], row.read_at - readings.KEPT)
    seen = {each.mark for each in there}
    by_evidence = Opened(row.party_id, evidence.visit, evidence.read_at)
    return differs(_opened(row), by_evidence) or doubt(
        by_address=not seen.isdisjoint(sources),
        by_device=not seen.isdisjoint(devices),
        from_court=kit.court.is_own(evidence.source),
    )


async def _count(tx: Transaction, row: Reading, notice: Row[Any], effects: Effects) -> None:
    if await notices.mark_read(tx.conn, notice.notice_id, min(row.read_at, tx.now)):
        effects.deeds.append(("notice.read", _body(row)))
        await judge(tx, [notice], effects)


def _body(row: Reading) -> dict[str, Any]:
    on = court_date(row.read_at).isoformat()
    return {"notice_id": str(row.notice_id), "reading_id": str(row.reading_id), "on": on}


async def decide(kit: NotificationKit, reading_id: UUID, *, own: bool, remark: str, caller: Caller) -> None:
    """A person judges a doubtful reading: the party's own, or not.

    Raises NotFound, Conflict when it is judged already or cannot have been so, Forbidden for whoever works the case or
    was there themselves.
    """
    async with kit.db.begin() as tx:
        row = await readings.lock(tx.conn, reading_id)
        notice = None if row is None else await notices.get(tx.conn, row.notice_id)
        if row is None or notice is None:
            raise NotFound("no_such_reading", "没有这条阅读记录。")
        if row.state != ReadingState.DOUBTFUL:
            raise Conflict("not_for_decision", "这条阅读记录已经核实，无需再次决定。请刷新页面。")
        await _refuse_concerned(kit, tx, row, notice, caller)
        if own and (row.doubt in IMPOSSIBLE or impossible(_opened(row), notice.party_id, notice.issued_at, tx.now)):
            raise Conflict("impossible_reading", _NOT_SO)
        await _judged(kit, tx, row, notice, (own, remark, caller.staff_id))


async def _refuse_concerned(
    kit: NotificationKit, tx: Transaction, row: Reading, notice: Row[Any], caller: Caller
) -> None:
    detail = "您是或者曾经是本案的承办人员，不能认定本案的阅读记录，请由其他人员核实。"
    await refuse_own(tx, notice.case_id, caller, detail)
    whence = _whence(kit, row.reading_id, row.evidence)
    device = () if whence is None else _marks(kit, whence.device)
    there = await readings.staff_at(tx.conn, device, row.read_at - readings.KEPT)
    if caller.staff_id in {each.staff_id for each in there}:
        raise Forbidden("own_device", "打开文书的设备您本人登录过，请由其他人员核实。")


async def _judged(
    kit: NotificationKit, tx: Transaction, row: Reading, notice: Row[Any], judgement: tuple[bool, str, UUID]
) -> None:
    own, remark, by = judgement
    state = ReadingState.ACCEPTED if own else ReadingState.REFUSED
    sealed = kit.keyring.seal(remark, f"{row.reading_id}/remark")
    values = {"state": state.value, "decided_by": by, "decided_at": tx.now, "remark": sealed}
    await readings.change(tx.conn, row.reading_id, values)
    told = {"reading_id": row.reading_id, "own": own, "decided_by": by, "decided_at": tx.now}
    effects = Effects(events=[ReadingDecided(**about(notice), **told)])
    effects.deeds.append(("notice.reading_decided", _body(row) | {"own": own, "by": str(by)}))
    if own:
        await _count(tx, row, notice, effects)
    await effects.tell(tx, notice.case_id)


async def doubtful(kit: NotificationKit, wanted: Wanted, part: Part) -> tuple[list[ReadingView], str | None]:
    """Readings that wait for a person, oldest first unless asked otherwise, with who was signed in there.

    And where the list goes on.
    """
    async with kit.db.read() as conn:
        rows, following = await troubles.doubtful(conn, wanted, part)
        found = [row.reading for row in rows]
        marks = [_places(kit, _whence(kit, each.reading_id, each.evidence)) for each in found]
        since = min((each.read_at for each in found), default=kit.clock.now()) - readings.KEPT
        seen = await readings.staff_at(conn, [mark for each in marks for mark in each], since) if rows else []
    return [_view(row, there, seen) for row, there in zip(rows, marks, strict=True)], following


def _view(row: Doubtful, there: Collection[str], seen: Sequence[StaffMark]) -> ReadingView:
    names = dict.fromkeys(each.name for each in seen if each.mark in there)
    return ReadingView(
        reading_id=row.reading.reading_id,
        notice_id=row.reading.notice_id,
        case_id=row.case_id,
        case_number=row.case_number,
        title=Kind(row.kind).label,
        recipient_role=row.role,
        read_at=row.reading.read_at,
        doubt=row.reading.doubt or "",
        signed_in_there=list(names),
    )
