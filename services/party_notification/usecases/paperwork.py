"""The clerk's paper worklist with whom each letter goes to: names and addresses are opened for this work only."""

import re
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from services.party_notification.domain.notices import Kind
from services.party_notification.store import notices, paper
from services.party_notification.usecases.facts import NotificationKit, party_facts
from services.party_notification.usecases.overview import LIMIT, paper_view, read_cursor, write_cursor
from services.party_notification.usecases.views import PaperView
from services.party_notification.usecases.visits import Letter, letter_bytes, paper_bytes
from shared.errors import NotFound

_STYLE = re.compile(r"<style>.*?</style>", re.DOTALL)
_BODY = re.compile(r"<body>(.*)</body>", re.DOTALL)


@dataclass(frozen=True)
class Sheet:
    """A letter of an entry."""

    notice_id: UUID
    title: str
    number: str


@dataclass(frozen=True)
class Entry:
    """An entry of the worklist with its recipient. Without `address` the letters are collected at the court.

    `recalled`: what has not been posted must stay for now.
    """

    paper: PaperView
    case_id: UUID
    addressee: str
    address: str | None
    phone: str | None
    sheets: list[Sheet]
    recalled: bool


@dataclass(frozen=True)
class Worklist:
    """A page of entries, oldest first, and how many there are in each state."""

    entries: list[Entry]
    counts: dict[str, int]
    next: str | None


async def worklist(kit: NotificationKit, state: str, text: str = "", cursor: str | None = None) -> Worklist:
    """Entries in this state; `text` is a part of the case number, or a tracking number. Raises Invalid."""
    async with kit.db.read() as conn:
        wanted = paper.Wanted(state, "".join(text.split()), read_cursor(cursor))
        rows = await paper.listed(conn, wanted, LIMIT + 1)
        letters = await paper.letters_of(conn, [row.paper_id for row in rows])
        counts = await paper.counts(conn)
    last = rows[LIMIT - 1] if len(rows) > LIMIT else None
    return Worklist(
        entries=[_entry(kit, row, letters) for row in rows[:LIMIT]],
        counts=counts,
        next=write_cursor(last.created_at, last.paper_id) if last else None,
    )


def _entry(kit: NotificationKit, row: Any, letters: list[Any]) -> Entry:
    party = party_facts(kit.keyring, row)
    mine = [each for each in letters if each.paper_id == row.paper_id]
    return Entry(
        paper=paper_view(row),
        case_id=row.case_id,
        addressee=party.addressee,
        address=party.postal_address,
        phone=party.contact_phone,
        sheets=[Sheet(each.notice_id, Kind(each.kind).label, each.number) for each in mine],
        recalled=row.recalled_at is not None and any(each.kind != Kind.MISFILED_CORRECTION for each in mine),
    )


async def print_document(kit: NotificationKit, paper_id: UUID) -> str:
    """All letters of an entry as one printable document, each on its own sheets. Raises NotFound."""
    async with kit.db.read() as conn:
        rows = await paper.notices_on(conn, paper_id)
    letters = [paper_bytes(kit, row).decode() for row in rows if row.letter is not None]
    if not letters:
        raise NotFound("no_such_paper", "没有这份纸质送达任务，或者没有可以打印的文书。")
    return joined(letters)


def joined(letters: list[str]) -> str:
    """Whole HTML documents as one: each one's sheets, and every style once (letters of one time share theirs)."""
    styles = dict.fromkeys(style for letter in letters for style in _STYLE.findall(letter))
    bodies = [body for letter in letters for body in _BODY.findall(letter)]
    head = '<!doctype html>\n<html lang="zh-CN">\n<head>\n<meta charset="utf-8">\n<title>打印文书</title>\n'
    return f"{head}{''.join(styles)}\n</head>\n<body>\n{''.join(bodies)}\n</body>\n</html>\n"


async def letter(kit: NotificationKit, notice_id: UUID) -> Letter:
    """A letter's exact bytes, for staff. Raises NotFound."""
    async with kit.db.read() as conn:
        row = await notices.get(conn, notice_id)
    if row is None or row.letter is None:
        raise NotFound("no_such_letter", "没有这份文书，或者文书尚未制作。")
    return Letter(letter_bytes(kit, row), row.letter_name)
