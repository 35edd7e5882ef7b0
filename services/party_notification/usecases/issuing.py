"""Who is owed what, and the writing of it. Called by every event that may change the answer.

What is owed is derived anew each time from the case, its parties and the notices that stand; so an event that
comes twice owes nothing new, a party added later is told alone, and a completed case tells everybody.
"""

import hashlib
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from sqlalchemy import Row

from services.party_notification.domain.effect import legal_effect
from services.party_notification.domain.notices import (
    CaseFacts,
    Kind,
    NoticeDue,
    NoticeFacts,
    PartyFacts,
    Progress,
    ServiceWay,
    Waiting,
    due_for_party,
    is_complete,
    missing,
    way_of,
)
from services.party_notification.render import Renderer
from services.party_notification.store import cases, notices
from services.party_notification.usecases.effects import Effects
from services.party_notification.usecases.facts import (
    NotificationKit,
    case_facts,
    court_facts,
    party_facts,
    query_code_of,
)
from services.party_notification.usecases.planning import Parcel, Written, plan
from shared.clock import court_date
from shared.contracts.notices import NoticeIssued, NoticeWaits
from shared.crypto.codes import normalize, notice_number
from shared.db.transaction import Transaction, new_id


@dataclass(frozen=True)
class Circle:
    """A case with all its parties, opened."""

    case: CaseFacts
    parties: dict[UUID, PartyFacts]
    rows: dict[UUID, Row[Any]]
    cause: UUID
    effects: Effects
    progress: Progress | None = None

    def opponents(self, party: PartyFacts) -> tuple[str, ...]:
        """The names of the other side, as a letter needs them."""
        return tuple(other.name for other in self.parties.values() if other.role is not party.role)


async def settle_debts(kit: NotificationKit, tx: Transaction, case_id: UUID, cause: UUID) -> None:
    """Write, or record as waiting, every notice that is owed and does not stand yet."""
    circle = await _circle(kit, tx, case_id, cause)
    if circle is None:
        return
    written: dict[UUID, list[Written]] = defaultdict(list)
    standing: dict[UUID, set[tuple[str, int | None]]] = defaultdict(set)
    for row in await notices.of_case(tx.conn, case_id):
        standing[row.party_id].add((row.kind, row.entry))
        if row.state == "waiting":
            written[row.party_id] += await _release(kit, tx, circle, row)
    for party_id, party in circle.parties.items():
        if not circle.rows[party_id].silent:
            due = due_for_party(circle.case, party)
            owed = [each for each in due if (each.kind.value, None) not in standing[party_id]]
            written[party_id] += await _owe(kit, tx, circle, party_id, owed)
    for entry in await cases.progress_to_tell(tx.conn, case_id, tx.now):
        told = {party_id for party_id, known in standing.items() if (Kind.PROGRESS.value, entry.entry) in known}
        for party_id in _audience(circle, entry) - told:
            written[party_id] += await _owe_progress(kit, tx, circle, party_id, entry)
    await _hand_over(kit, tx, circle, written)


def _audience(circle: Circle, entry: Row[Any]) -> set[UUID]:
    """Whom an entry is owed to: who is of its audience and was a party when it was made; others read it online."""
    return {
        party_id
        for party_id, party in circle.parties.items()
        if party.role.value in entry.audience.split(",") and circle.rows[party_id].added_at <= entry.at
    }


async def _owe_progress(
    kit: NotificationKit, tx: Transaction, circle: Circle, party_id: UUID, entry: Row[Any]
) -> list[Written]:
    party = circle.parties[party_id]
    due = NoticeDue(party.party_id, Kind.PROGRESS, missing(Kind.PROGRESS, circle.case, party))
    mine = replace(circle, cause=entry.cause, progress=_opened(kit, entry))
    return await _owe(kit, tx, mine, party_id, [due])


async def _progress(kit: NotificationKit, tx: Transaction, case_id: UUID, entry: int) -> Progress:
    return _opened(kit, await cases.get_progress(tx.conn, case_id, entry))


def _opened(kit: NotificationKit, row: Row[Any]) -> Progress:
    text = kit.keyring.open(row.text, str(row.case_id))
    return Progress(court_date(row.at), row.title, str(row.entry), result=text)


async def _circle(kit: NotificationKit, tx: Transaction, case_id: UUID, cause: UUID) -> Circle | None:
    """The case, when it may tell anybody anything: a judge has it, and both sides are there."""
    row = await cases.lock_case(tx.conn, case_id)
    if row is None or row.assigned_at is None:
        return None
    rows = {party.party_id: party for party in await cases.parties_of(tx.conn, case_id)}
    parties = {party_id: party_facts(kit.keyring, party) for party_id, party in rows.items()}
    if not is_complete(list(parties.values())):
        return None
    return Circle(case_facts(kit.keyring, row), parties, rows, cause, Effects())


async def letters_for_paper(
    kit: NotificationKit, tx: Transaction, party: Row[Any], carried: Sequence[Row[Any]]
) -> dict[UUID, str | None]:
    """The letters of a mail that did not get through, written anew so that they are true to paper; sealed."""
    circle = await _circle(kit, tx, party.case_id, carried[0].cause)
    if circle is None:
        return dict.fromkeys(notice.notice_id for notice in carried)
    together = tuple(Kind(notice.kind) for notice in carried)
    return {row.notice_id: await _letter_for_paper(kit, tx, circle, row, together) for row in carried}


async def _letter_for_paper(
    kit: NotificationKit, tx: Transaction, circle: Circle, row: Row[Any], together: tuple[Kind, ...]
) -> str:
    party, kind = circle.parties[row.party_id], Kind(row.kind)
    facts = NoticeFacts(
        number=row.number,
        kind=kind,
        issued_on=court_date(row.issued_at),
        opponents=circle.opponents(party),
        enclosures=tuple(other for other in together if other is not kind),
        way=ServiceWay.PAPER if party.postal_address else ServiceWay.COLLECT,
        progress=None if row.entry is None else await _progress(kit, tx, row.case_id, row.entry),
    )
    code = query_code_of(kit.keyring, circle.rows[row.party_id])
    letter = _renderer(kit).letter(kind, circle.case, party, facts, code)
    return kit.keyring.seal(letter.decode(), f"{row.notice_id}/paper")


def _renderer(kit: NotificationKit) -> Renderer:
    return Renderer(court_facts(kit.court), kit.run.base_url)


async def _owe(
    kit: NotificationKit, tx: Transaction, circle: Circle, party_id: UUID, owed: Sequence[NoticeDue]
) -> list[Written]:
    written = []
    together = tuple(due.kind for due in owed if due.waits is None)
    for due in owed:
        notice_id, party = new_id(), circle.parties[party_id]
        row = {
            "notice_id": notice_id,
            "case_id": UUID(circle.case.case_id),
            "party_id": party_id,
            "role": party.role.value,
            "kind": due.kind.value,
            "cause": circle.cause,
            "number": normalize(notice_number()),
            "entry": None if circle.progress is None else int(circle.progress.log_entry),
            "state": "waiting",
            "created_at": tx.now,
        }
        if due.waits is not None:
            row |= _waiting(circle, row, due.waits)
        else:
            one = _write(kit, tx, circle, row, together)
            row |= one.values
            written.append(one)
        await notices.add(tx.conn, row)
    return written


async def _release(kit: NotificationKit, tx: Transaction, circle: Circle, row: Row[Any]) -> list[Written]:
    """A notice that waited: written now, or its reason brought up to date."""
    waits = missing(Kind(row.kind), circle.case, circle.parties[row.party_id])
    if waits is None:
        progress = None if row.entry is None else await _progress(kit, tx, row.case_id, row.entry)
        one = _write(kit, tx, replace(circle, progress=progress), row._asdict(), (Kind(row.kind),))
        await notices.change(tx.conn, row.notice_id, one.values)
        return [one]
    if waits.reason != row.waits_reason:
        await notices.change(tx.conn, row.notice_id, _waiting(circle, row._asdict(), waits))
    return []


def _waiting(circle: Circle, row: dict[str, Any], waits: Waiting) -> dict[str, Any]:
    circle.effects.events.append(NoticeWaits(**_about(row), reason=waits.reason, owner=waits.owner))
    return {"waits_reason": waits.reason, "waits_owner": waits.owner}


def _write(
    kit: NotificationKit, tx: Transaction, circle: Circle, row: dict[str, Any], together: tuple[Kind, ...]
) -> Written:
    party, kind = circle.parties[row["party_id"]], Kind(row["kind"])
    enclosures = tuple(other for other in together if other is not kind)
    facts = NoticeFacts(
        row["number"], kind, court_date(tx.now), circle.opponents(party), enclosures, progress=circle.progress
    )
    renderer = _renderer(kit)
    code = query_code_of(kit.keyring, circle.rows[row["party_id"]])
    letter = renderer.letter(kind, circle.case, party, facts, code)
    values = _letter_values(kit, tx, row, party, letter) | {"letter_name": renderer.file_name(facts, circle.case)}
    written = Written(row["notice_id"], facts, letter, values)
    way = way_of(party)
    told = "electronic" if way.by_mail else way.value
    circle.effects.events.append(NoticeIssued(**_about(row), way=told, issued_at=tx.now))
    body = {"notice_id": str(written.notice_id), "kind": kind.value, "sha256": written.sha256, "way": way.value}
    circle.effects.deeds.append(("notice.issued", body))
    return written


def _letter_values(
    kit: NotificationKit, tx: Transaction, row: dict[str, Any], party: PartyFacts, letter: bytes
) -> dict[str, Any]:
    """What a written notice has that a waiting one lacks; nothing has served it yet."""
    effect = legal_effect(consents=party.consents, address_confirmed_on=party.address_confirmed_on, evidence=())
    return {
        "state": "issued",
        "way": way_of(party).value,
        "consents": party.consents,
        "address_confirmed_on": party.address_confirmed_on,
        "letter": kit.keyring.seal(letter.decode(), str(row["notice_id"])),
        "letter_sha256": hashlib.sha256(letter).hexdigest(),
        "phone_tail": _tail(kit, row["number"], party.contact_phone),
        "issued_at": tx.now,
        "served_because": effect.because,
        "waits_reason": None,
        "waits_owner": None,
    }


async def _hand_over(kit: NotificationKit, tx: Transaction, circle: Circle, written: dict[UUID, list[Written]]) -> None:
    """What is due together to one person travels together."""
    for party_id, bundle in written.items():
        if bundle:
            parcel = Parcel(circle.case, circle.parties[party_id], circle.rows[party_id], tuple(bundle), circle.cause)
            await plan(kit, tx, parcel)
    await circle.effects.tell(tx, UUID(circle.case.case_id))


def _tail(kit: NotificationKit, number: str, phone: str | None) -> str | None:
    """The hash by which anybody can check a notice with its number and the last four digits of the telephone."""
    return None if phone is None else kit.keyring.blind_index(f"{number}/{phone[-4:]}", "notice check")


def _about(row: dict[str, Any]) -> dict[str, Any]:
    return {name: row[name] for name in ("case_id", "notice_id", "kind", "party_id", "role")}
