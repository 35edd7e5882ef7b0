"""The clerk's paper worklist with whom each letter goes to: names and addresses are opened for this work only."""

import re
from dataclasses import dataclass
from datetime import datetime
from html import escape
from typing import Any
from uuid import UUID

from sqlalchemy import Row

from services.party_notification.domain.notices import Kind, PartyFacts
from services.party_notification.store import cases, paper, readings
from services.party_notification.usecases.effects import Effects
from services.party_notification.usecases.facts import NotificationKit, ever_handled, handlers_of, party_facts
from services.party_notification.usecases.letters import Letter, letter_bytes, paper_bytes
from services.party_notification.usecases.looking import looked_at
from services.party_notification.usecases.overview import paper_view
from services.party_notification.usecases.own_cases import refuse_own
from services.party_notification.usecases.shown import shown_letter
from services.party_notification.usecases.views import PaperView
from shared.contracts.looks import Seen
from shared.db.lists import Part
from shared.db.readable import UNREADABLE_TEXT, one
from shared.db.transaction import Transaction, new_id
from shared.errors import Conflict, NotFound
from shared.http.auth import Caller
from shared.runtime.looks import Look, record
from shared.web.masking import masked

_STYLE = re.compile(r"<style>.*?</style>", re.DOTALL)
_BODY = re.compile(r"<body>(.*)</body>", re.DOTALL)


@dataclass(frozen=True)
class Sheet:
    """A letter of an entry."""

    notice_id: UUID
    title: str
    number: str


@dataclass(frozen=True)
class Printing:
    """Who printed an entry's letters, and when."""

    by: str
    at: datetime


@dataclass(frozen=True)
class Entry:
    """An entry of the worklist with its recipient. Without `address` the letters are collected at the court.

    `void`: why its letters count for nothing, where they do. `recalled`: what has not been posted must stay for now.
    `own`: who looks works the case, and prints nothing of it.
    """

    paper: PaperView
    case_id: UUID
    addressee: str
    address: str | None
    phone: str | None
    posted_at: datetime | None
    sheets: list[Sheet]
    void: str
    recalled: bool
    printings: list[Printing]
    own: bool


async def worklist(
    kit: NotificationKit, caller: Caller, state: str, text: str, part: Part
) -> tuple[list[Entry], str | None]:
    """Entries in this state, oldest first unless asked otherwise, and where the list goes on.

    `text` is a part of the case number, or a tracking number. Raises Invalid for a cursor that no list gave.
    """
    async with kit.db.read() as conn:
        rows, following = await paper.listed(conn, paper.Wanted(state, "".join(text.split())), part)
        letters = await paper.letters_of(conn, [row.paper_id for row in rows])
        printed = await readings.printings_of(conn, [row.paper_id for row in rows])

    def entry(row: Row[Any]) -> Entry:
        to = one(row, lambda row: _addressee(kit, row), lambda _: _UNREADABLE)
        return _entry(row, to, [each for each in letters if each.paper_id == row.paper_id], printed, caller)

    return [entry(row) for row in rows], following


async def counts(kit: NotificationKit) -> dict[str, int]:
    """How many entries are in each state."""
    async with kit.db.read() as conn:
        return await paper.counts(conn)


def _entry(
    row: Row[Any], to: "Addressee", mine: list[Row[Any]], printed: dict[UUID, list[Row[Any]]], caller: Caller
) -> Entry:
    return Entry(
        paper=paper_view(row),
        case_id=row.case_id,
        addressee=to.name,
        address=to.address,
        phone=to.phone,
        posted_at=row.posted_at,
        sheets=[Sheet(each.notice_id, Kind(each.kind).label, each.number) for each in mine],
        void=_void(row, mine),
        recalled=row.recalled_at is not None and any(each.kind != Kind.MISFILED_CORRECTION for each in mine),
        printings=[Printing(each.printed_by_name, each.printed_at) for each in printed.get(row.paper_id, [])],
        own=ever_handled(row, caller),
    )


def _void(row: Row[Any], letters: list[Row[Any]]) -> str:
    if row.misfiled_at is not None:
        return "收件人系误登记，不是本案当事人，"
    return "".join(dict.fromkeys(each.served_because for each in letters if each.state == "withdrawn"))


def _addressee(kit: NotificationKit, row: Row[Any]) -> "Addressee":
    """As the list shows it: address and telephone masked."""
    party = party_facts(kit.keyring, row)
    address, phone = masked("postal_address", party.postal_address), masked("phone", party.contact_phone)
    return Addressee(party.addressee, address, phone)


@dataclass(frozen=True)
class Addressee:
    """Where an entry's letters go."""

    name: str
    address: str | None
    phone: str | None


_UNREADABLE = Addressee(UNREADABLE_TEXT, UNREADABLE_TEXT, None)


async def addressee(kit: NotificationKit, paper_id: UUID, caller: Caller) -> Addressee:
    """Whom the letters go to and how the addressee is reached; the look is told of. Raises NotFound."""
    async with kit.db.begin() as tx:
        entry = await paper.lock(tx.conn, paper_id)
        if entry is None:
            raise _no_such_paper()
        case, row = await cases.get_case(tx.conn, entry.case_id), await cases.get_party(tx.conn, entry.party_id)
        assert case is not None and row is not None  # noqa: S101, PT018 - there by the entry's foreign keys
        own = handlers_of(case).own(caller.staff_id, caller.name)
        await record(kit, tx, caller, Look(Seen.ADDRESSEE, paper_id, case.case_id, case.case_number, own))
        party = party_facts(kit.keyring, row)
    return Addressee(party.addressee, party.postal_address, party.contact_phone)


def _no_such_paper() -> NotFound:
    return NotFound("no_such_paper", "没有这份纸质送达任务，或者没有可以打印的文书。")


async def print_document(kit: NotificationKit, paper_id: UUID, caller: Caller) -> str:
    """All letters of an entry as one printable document, with query codes: an act, and told of.

    Raises NotFound, Conflict for what must not leave, Forbidden for whoever works the case.
    """
    async with kit.db.begin() as tx:
        entry = await paper.lock(tx.conn, paper_id)
        rows = [] if entry is None else await paper.notices_on(tx.conn, paper_id)
        letters = [paper_bytes(kit, row).decode() for row in rows if row.letter is not None]
        if entry is None or not letters:
            raise _no_such_paper()
        case = await _printable(tx, entry, caller)
        row = {"printing_id": new_id(), "paper_id": paper_id, "printed_at": tx.now}
        await readings.add_printing(tx.conn, row | {"printed_by": caller.staff_id, "printed_by_name": caller.name})
        await record(kit, tx, caller, Look(Seen.PRINTING, paper_id, case.case_id, case.case_number))
        body = {"paper_id": str(paper_id), "by": str(caller.staff_id)}
        await Effects([("paper.printed", body)]).tell(tx, case.case_id)
        party = await cases.get_party(tx.conn, entry.party_id)
    label = "" if party is None else _label(party_facts(kit.keyring, party), case.case_number)
    return joined(letters, label)


def _label(party: PartyFacts, case_number: str) -> str:
    """A first sheet with the address, for the envelope."""
    address = party.postal_address or "没有送达地址，请联系当事人到院领取"
    lines = (address, f"{party.addressee}　收", f"电话 {party.contact_phone or '未登记'}", case_number)
    shown = "".join(f'<p class="flush">{escape(line)}</p>\n' for line in lines)
    return f'<article class="sheet">\n<h2>邮寄信息（贴信封用，不随文书寄出）</h2>\n{shown}</article>\n'


async def _printable(tx: Transaction, entry: Row[Any], caller: Caller) -> Row[Any]:
    """The entry's case, unless the caller works it or did: whoever does must not hold the parties' query codes."""
    if entry.state not in {"to_print", "returned"}:
        raise Conflict("paper_state", "这份文书已经寄出、签收或者作废，不再打印。")
    detail = "您承办或者曾经承办本案。文书上有当事人的查询码，请由不承办本案的立案人员打印。"
    await refuse_own(tx, entry.case_id, caller, detail)
    case = await cases.get_case(tx.conn, entry.case_id)
    assert case is not None  # noqa: S101 - an entry's case is there by its foreign key
    return case


def joined(letters: list[str], first: str = "") -> str:
    """Whole HTML documents as one: each one's sheets, and every style once (letters of one time share theirs)."""
    styles = dict.fromkeys(style for letter in letters for style in _STYLE.findall(letter))
    bodies = [body for letter in letters for body in _BODY.findall(letter)]
    head = '<!doctype html>\n<html lang="zh-CN">\n<head>\n<meta charset="utf-8">\n<title>打印文书</title>\n'
    return f"{head}{''.join(styles)}\n</head>\n<body>\n{first}{''.join(bodies)}\n</body>\n</html>\n"


async def letter(kit: NotificationKit, notice_id: UUID, caller: Caller) -> Letter:
    """A letter for staff, its query code blanked; the look is told of. Raises NotFound, Conflict."""
    async with kit.db.begin() as tx:
        looked = await looked_at(kit, tx, notice_id, Seen.LETTER, caller)
    return Letter(shown_letter(letter_bytes(kit, looked.notice), looked.code), looked.notice.letter_name)
