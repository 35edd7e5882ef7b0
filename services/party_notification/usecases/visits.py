"""The parties' own pages: entry with code and last six characters, what they see, reading a document.

All of it is sealed to the party, whose key opens with what they typed and then travels in their cookie alone.
"""

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import lru_cache
from typing import TypeVar
from uuid import UUID

from pydantic import BaseModel

from services.party_notification.domain.notices import Role, main_kind
from services.party_notification.domain.prospects import CLOSED, Prospect, court_next, may_go_up, own_next, time_limit
from services.party_notification.store import doors, readings
from services.party_notification.usecases.doors import Known, unlock
from services.party_notification.usecases.facts import NotificationKit, court_facts
from services.party_notification.usecases.letters import Letter
from services.party_notification.usecases.pagewriting import Page, Paper, Sheet, about_page, about_sheet
from services.party_notification.usecases.readings import Opening, Whence, note_opening
from services.party_notification.usecases.trying import Lock, trying
from shared.calendar.workdays import CourtCalendar
from shared.clock import court_date
from shared.contracts.case_kinds import CaseKind, Particulars, kind_of
from shared.crypto.boxes import Box
from shared.crypto.codes import normalize
from shared.crypto.sealed import KeyRingError, SealError
from shared.db.transaction import new_id
from shared.errors import Fault, Invalid, NotFound, Unauthenticated
from shared.http.auth import PartyCaller

M = TypeVar("M", bound=BaseModel)

_WRONG = "查询码或证件号码的后六位不正确，请核对。连续输错五次，该查询码将锁定15分钟。刚刚收到短信的，请过几分钟再试。"
_LOCK = Lock("code_locked", "连续输错五次，为保护您的信息，这个查询码已暂时锁定。", whole=True)


@dataclass(frozen=True)
class Visitor:
    """A party at their pages, with the key that opens them."""

    party: PartyCaller
    key: str


async def enter(kit: NotificationKit, code: str, last_six: str) -> Visitor:
    """The party whose code and last six characters these are.

    Raises Invalid, and TooMany for a locked code or while too many come in at once.
    """
    code = normalize(code)
    async with trying(kit, code, _LOCK):
        known = await Known.of(code)
        async with kit.db.read() as conn:
            door = await doors.find(conn, known.indexes(kit))
        box = await unlock(known, door, normalize_tail(last_six))
        if door is None or box is None:
            raise Invalid([Fault("code", _WRONG)])
    return Visitor(PartyCaller(door.party_id, door.case_id, new_id(), kit.clock.now()), box.to_text())


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

    case: Page
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


async def visit(kit: NotificationKit, visitor: Visitor) -> Visit:
    """The party's view of the case by now. Raises NotFound when the party is no longer there, Unauthenticated."""
    party_id = visitor.party.party_id
    async with kit.db.read() as conn:
        sealed = await doors.page_of(conn, party_id)
        read = await readings.opened_by(conn, party_id)
    if sealed is None:
        raise NotFound("no_such_visit", "查询码已失效，或者页面正在准备，请稍后再试；仍打不开的，请拨打12368。")
    return seen(kit, _opened(visitor, Page, sealed, about_page(party_id)), read)


def _opened(visitor: Visitor, model: type[M], sealed: str, about: str) -> M:
    """What the visitor's key opens. Raises Unauthenticated when the door has another key by now."""
    try:
        return model.model_validate_json(Box.from_text(visitor.key).open(sealed, about))
    except (SealError, KeyRingError):
        raise Unauthenticated("party_not_entered", "请用查询码重新进入。") from None


def seen(kit: NotificationKit, page: Page, read: set[UUID]) -> Visit:
    """The page as it reads now; `read`: the notices that were opened since it was written."""
    now, period, closed = kit.clock.now(), next(reversed(page.opened), None), page.closed_on is not None
    number, role = page.case_number, page.role
    main, today = main_kind(number, role), court_date(now)
    paper = next((paper for paper in page.papers if paper.kind == main), None)
    served_on, ordered = (paper.served_on, paper.report_ordered) if paper else (None, False)
    kind = kind_of(number, Particulars(page.urgent, page.ground, ordered))
    own = own_next(kind, role, served_on, court_facts(kit.court), _calendar(), today)
    return Visit(
        case=page,
        name=page.name,
        role=role,
        minor=page.minor,
        consents=page.consents,
        kind=kind,
        closed=closed,
        period=period,
        opened=page.opened,
        # Before the document is written there is nothing to count from; of a carried-over case it never is.
        own=None if closed or paper is None else own,
        court=CLOSED if closed else court_next(kind, role, period, page.clocks, now),
        up_since=None if closed else may_go_up(role, page.clocks, now),
        limit=None if closed or kind.awaits_ground else time_limit(page.clocks, now),
        entries=_timeline(page, [Entry(line.at, line.title, line.text) for line in page.lines]),
        documents=[_document(paper, read) for paper in page.papers],
    )


def _document(paper: Paper, read: set[UUID]) -> Document:
    opened = paper.read or paper.notice_id in read
    return Document(paper.notice_id, paper.kind, paper.number, paper.issued_at, paper.served_on, opened)


_ENTERED = {"investigation": "进入执行查证期", "compulsory": "进入强制执行期", "closure": "进入执行结案期"}


def _timeline(page: Page, published: Sequence[Entry]) -> list[Entry]:
    """What was published, among the steps that every case goes through; newest first."""
    steps = [Entry(on, _ENTERED[period]) for period, on in reversed(page.opened.items()) if period in _ENTERED]
    if page.assigned_at is not None:
        steps.append(Entry(page.assigned_at, "确定承办法官", f"承办法官：{page.judge_name}"))
    # A day comes before every instant of it; of equal days the later step is already first.
    lines = [*published, *steps, Entry(page.filed_on, "立案")]
    return sorted(lines, key=_moment, reverse=True)


def _moment(entry: Entry) -> tuple[date, float]:
    if isinstance(entry.at, datetime):
        return court_date(entry.at), entry.at.timestamp()
    return entry.at, 0.0


async def read_document(kit: NotificationKit, visitor: Visitor, notice_id: UUID, whence: Whence) -> Letter:
    """The letter's exact bytes; opening it may be read evidence (Online Litigation Rules 31).

    Raises NotFound for what the page does not show, Unauthenticated.
    """
    shown = {document.notice_id for document in (await visit(kit, visitor)).documents}
    async with kit.db.begin() as tx:
        sealed = await doors.sheet_of(tx.conn, visitor.party.party_id, notice_id)
        if sealed is None or notice_id not in shown:
            raise NotFound("no_such_document", "没有这份文书，请返回文书列表。")
        sheet = _opened(visitor, Sheet, sealed, about_sheet(notice_id))
        await note_opening(kit, tx, Opening(notice_id, visitor.party, whence))
    return Letter(sheet.content.encode(), sheet.name)
