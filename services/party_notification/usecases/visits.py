"""The parties' own pages: entry with code and last six characters, what they see, reading a document."""

import math
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import lru_cache
from typing import Any
from uuid import UUID

from sqlalchemy import Row

from services.party_notification.domain.notices import Role, main_kind
from services.party_notification.domain.prospects import (
    CLOSED,
    Clock,
    Prospect,
    court_next,
    may_go_up,
    own_next,
    time_limit,
)
from services.party_notification.store import cases, notices
from services.party_notification.usecases.effects import Effects, judge
from services.party_notification.usecases.facts import NotificationKit, court_facts, identity_of
from shared.calendar.workdays import CourtCalendar
from shared.clock import court_date
from shared.contracts.case_kinds import CaseKind, kind_of
from shared.contracts.stages import Period
from shared.crypto.codes import normalize
from shared.db import tries
from shared.db.readable import text_of
from shared.errors import Fault, Invalid, NotFound, TooMany
from shared.http.auth import PartyCaller

_WRONG = "查询码或证件号码的后六位不正确，请核对。连续输错五次，该查询码将锁定15分钟。"


async def enter(kit: NotificationKit, code: str, last_six: str) -> PartyCaller:
    """The party whose code and last six characters these are. Raises Invalid, or TooMany for a locked code."""
    code_index = kit.keyring.blind_index(normalize(code), "query code")
    async with kit.db.begin() as tx:
        locked = await tries.claim(tx.conn, code_index)
        if locked:
            text = "连续输错五次，为保护您的信息，这个查询码已暂时锁定。"
            raise TooMany("code_locked", text, math.ceil(locked))
        row = await cases.party_by_code(tx.conn, code_index)
        right = row is not None and row.misfiled_at is None and _fits(kit, row, last_six)
        if right:
            await tries.forget(tx.conn, code_index)
    if row is None or not right:
        raise Invalid([Fault("code", _WRONG)])
    return PartyCaller(row.party_id, row.case_id)


def _fits(kit: NotificationKit, row: Row[Any], last_six: str) -> bool:
    return identity_of(kit.keyring, row).id_number[-6:].upper() == normalize_tail(last_six)


def normalize_tail(text: str) -> str:
    """The last six characters of what was typed, compared without spaces, width and case."""
    return "".join(unicodedata.normalize("NFKC", text).split()).upper()[-6:]


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
    """A line of the timeline: an instant, or a day where no more is known."""

    at: date
    title: str
    text: str = ""


@dataclass(frozen=True)
class Visit:
    """All that a party's page shows. `own` is what they have to do, `court` what the court does next.

    `up_since`: the day since which an applicant may ask the upper court.
    """

    case: Row[Any]
    name: str
    role: Role
    minor: bool
    consents: bool
    kind: CaseKind
    closed: bool
    period: str | None
    opened: dict[str, date]
    own: Prospect | None
    court: Prospect
    limit: Prospect | None
    up_since: date | None
    entries: list[Entry]
    documents: list[Document]


@lru_cache
def _calendar() -> CourtCalendar:
    return CourtCalendar()


async def visit(kit: NotificationKit, party: PartyCaller) -> Visit:
    """The party's view of the case by now. Raises NotFound when the party is no longer there."""
    now = kit.clock.now()
    async with kit.db.read() as conn:
        case, row = await cases.get_case(conn, party.case_id), await cases.get_party(conn, party.party_id)
        if case is None or row is None or row.misfiled_at is not None:
            raise NotFound("no_such_visit", "查询码已失效，请拨打12368。")
        clocks = [_clock(clock) for clock in await cases.clocks_of(conn, party.case_id)]
        opened = _opened(await cases.periods_of(conn, party.case_id))
        written = await notices.shown_to(conn, party.party_id)
        read = await notices.read_of(conn, [notice.notice_id for notice in written])
        published = await cases.progress_of(conn, party.case_id, row.role, now)
    role, period, closed = Role(row.role), next(reversed(opened), None), case.closed_on is not None
    main, kind, today = main_kind(case.case_number, role), kind_of(case.case_number), court_date(now)
    served_on = next((notice.served_on for notice in written if notice.kind == main), None)
    own = own_next(case.case_number, role, served_on, court_facts(kit.court), _calendar(), today)
    return Visit(
        case=case,
        name=identity_of(kit.keyring, row).name,
        role=role,
        minor=row.minor,
        consents=row.consents,
        kind=kind,
        closed=closed,
        period=period,
        opened=opened,
        own=None if closed else own,
        court=CLOSED if closed else court_next(kind, role, period, clocks, now),
        up_since=None if closed else may_go_up(role, clocks, now),
        limit=None if closed else time_limit(clocks, now),
        entries=_timeline(case, opened, [_entry(kit, line) for line in published]),
        documents=[_document(notice, read=notice.notice_id in read) for notice in written],
    )


def _opened(rows: Sequence[Row[Any]]) -> dict[str, date]:
    """The periods entered, in their own order: two may open on one day."""
    days = {row.period: row.opened_on for row in rows}
    return {period.value: days[period.value] for period in Period if period.value in days}


def _clock(row: Row[Any]) -> Clock:
    return Clock(row.kind, row.due_at, row.provisional, row.met_at)


def _entry(kit: NotificationKit, row: Row[Any]) -> Entry:
    return Entry(row.at, row.title, text_of(kit.keyring, row.text, str(row.case_id)))


def _document(row: Row[Any], *, read: bool) -> Document:
    return Document(row.notice_id, row.kind, row.number, row.issued_at, row.served_on, read)


_ENTERED = {"investigation": "进入执行查证期", "compulsory": "进入强制执行期", "closure": "进入执行结案期"}


def _timeline(case: Row[Any], opened: dict[str, date], published: list[Entry]) -> list[Entry]:
    """What was published, among the steps that every case goes through; newest first."""
    steps = [Entry(on, _ENTERED[period]) for period, on in reversed(opened.items()) if period in _ENTERED]
    if case.assigned_at is not None:
        steps.append(Entry(case.assigned_at, "确定承办法官", f"承办法官：{case.judge_name}"))
    # A day comes before every instant of it; of equal days the later step is already first.
    lines = [*published, *steps, Entry(case.filed_on, "立案")]
    return sorted(lines, key=_moment, reverse=True)


def _moment(entry: Entry) -> tuple[date, float]:
    if isinstance(entry.at, datetime):
        return court_date(entry.at), entry.at.timestamp()
    return entry.at, 0.0


@dataclass(frozen=True)
class Letter:
    """A document as it was written, and the name of its file."""

    content: bytes
    name: str


async def read_document(kit: NotificationKit, party: PartyCaller, notice_id: UUID) -> Letter:
    """The letter's exact bytes; opening it is read evidence (Online Litigation Rules 31). Raises NotFound."""
    async with kit.db.begin() as tx:
        shown = await notices.shown_to(tx.conn, party.party_id)
        row = next((each for each in shown if each.notice_id == notice_id), None)
        if row is None:
            raise NotFound("no_such_document", "没有这份文书，请返回文书列表。")
        if await notices.mark_read(tx.conn, notice_id, tx.now):
            body = {"notice_id": str(notice_id), "on": court_date(tx.now).isoformat()}
            effects = Effects([("notice.read", body)])
            await judge(tx, [row], effects)
            await effects.tell(tx, row.case_id)
    return Letter(letter_bytes(kit, row), row.letter_name)


def paper_bytes(kit: NotificationKit, row: Row[Any]) -> bytes:
    """A letter for paper: written anew where the mail did not get through, else as it was written."""
    if row.paper_letter is None:
        return letter_bytes(kit, row)
    return kit.keyring.open(row.paper_letter, f"{row.notice_id}/paper").encode()


def letter_bytes(kit: NotificationKit, row: Row[Any]) -> bytes:
    """A letter as it was written."""
    return kit.keyring.open(row.letter, str(row.notice_id)).encode()
