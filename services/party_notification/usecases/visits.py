"""The parties' own pages: entry with code and last six characters, what they see, reading a document."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row

from services.party_notification.domain.notices import way_of
from services.party_notification.store import cases, notices
from services.party_notification.store.tables import LEDGER
from services.party_notification.usecases.effects import judge_effect
from services.party_notification.usecases.facts import NotificationKit, identity_of, party_facts
from shared.clock import court_date
from shared.crypto.codes import normalize
from shared.errors import Fault, Invalid, NotFound, TooMany
from shared.http.auth import PartyCaller
from shared.ledger.store import append

_WRONG = "查询码或证件后六位不正确，请对照短信或文书核对；连续输错五次，该查询码将锁定15分钟。"


async def enter(kit: NotificationKit, code: str, last_six: str) -> PartyCaller:
    """The party whose code and last six characters these are. Raises Invalid, or TooMany for a locked code."""
    code_index = kit.keyring.blind_index(normalize(code), "query code")
    async with kit.db.begin() as tx:
        row = await cases.party_by_code(tx.conn, code_index)
        locked = row is not None and row.is_locked
        right = row is not None and not locked and _fits(kit, row, last_six)
        if row is not None and not locked:
            await cases.count_try(tx.conn, row.party_id, wrong=not right)
    if locked:
        raise TooMany("code_locked", "输错次数过多，该查询码已锁定15分钟。请稍后再试，或拨打12368。", 900)
    if row is None or not right:
        raise Invalid([Fault("code", _WRONG)])
    return PartyCaller(row.party_id, row.case_id)


def _fits(kit: NotificationKit, row: Row[Any], last_six: str) -> bool:
    return identity_of(kit.keyring, row).id_number[-6:].upper() == normalize_tail(last_six)


def normalize_tail(text: str) -> str:
    """What was typed of an ID number's end, compared without spaces and case."""
    return "".join(text.split()).upper()


@dataclass(frozen=True)
class Document:
    """A notice as its party may read it."""

    notice_id: UUID
    kind: str
    number: str
    issued_at: datetime
    served_on: date | None
    read: bool


@dataclass(frozen=True)
class Entry:
    """A line of the timeline."""

    at: datetime
    title: str
    text: str


@dataclass(frozen=True)
class Visit:
    """All that a party's page shows. `next_clock` is the next deadline that still runs."""

    case: Row[Any]
    name: str
    role: str
    way: str
    periods: list[Row[Any]]
    next_clock: Row[Any] | None
    entries: list[Entry]
    documents: list[Document]


async def visit(kit: NotificationKit, party: PartyCaller) -> Visit:
    """The party's view of the case by now. Raises NotFound when the party is no longer there."""
    now = kit.clock.now()
    async with kit.db.read() as conn:
        case, row = await cases.get_case(conn, party.case_id), await cases.get_party(conn, party.party_id)
        if case is None or row is None:
            raise NotFound("no_such_visit", "查询码已失效，请拨打12368。")
        clocks = await cases.clocks_of(conn, party.case_id)
        written = await notices.of_party(conn, party.party_id)
        reads = {notice.notice_id: await notices.read_at(conn, notice.notice_id) for notice in written}
        entries = [
            Entry(entry.at, entry.title, kit.keyring.open(entry.text, str(entry.case_id)))
            for entry in await cases.progress_of(conn, party.case_id, row.role, now)
        ]
        return Visit(
            case=case,
            name=identity_of(kit.keyring, row).name,
            role=row.role,
            way=way_of(party_facts(kit.keyring, row)).value,
            periods=await cases.periods_of(conn, party.case_id),
            next_clock=next((clock for clock in clocks if clock.met_at is None and clock.due_at > now), None),
            entries=entries,
            documents=[
                Document(n.notice_id, n.kind, n.number, n.issued_at, n.served_on, reads[n.notice_id] is not None)
                for n in written
            ],
        )


async def read_document(kit: NotificationKit, party: PartyCaller, notice_id: UUID) -> bytes:
    """The letter's exact bytes; opening it is read evidence (Online Litigation Rules 31). Raises NotFound."""
    async with kit.db.begin() as tx:
        row = await notices.get(tx.conn, notice_id)
        if row is None or row.party_id != party.party_id or row.letter is None:
            raise NotFound("no_such_document", "没有这份文书，请返回文书列表。")
        if await notices.mark_read(tx.conn, notice_id, tx.now):
            await judge_effect(tx, row)
            body = {"notice_id": str(notice_id), "on": court_date(tx.now).isoformat()}
            await append(tx.conn, LEDGER, str(row.case_id), tx.now, "notice.read", body)
    return letter_bytes(kit, row)


def letter_bytes(kit: NotificationKit, row: Row[Any]) -> bytes:
    """A letter as it was written."""
    return kit.keyring.open(row.letter, str(row.notice_id)).encode()
