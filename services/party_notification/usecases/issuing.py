"""Who is owed what, and the writing of it. Called by every event that may change the answer.

What is owed is derived anew each time from the case, its parties and the notices that stand; so an event that
comes twice owes nothing new, a party added later is told alone, and a completed case tells everybody.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from typing import Any
from uuid import UUID

from sqlalchemy import Row

from services.party_notification.domain.effect import legal_effect
from services.party_notification.domain.notices import Kind, NoticeFacts, PartyFacts, way_of
from services.party_notification.domain.owed import Waiting, due_for_party
from services.party_notification.store import cases, doors, holding, notices
from services.party_notification.usecases.circle import Circle, load, opened, progress_of, renderer
from services.party_notification.usecases.doors import DOOR_SIGNAL
from services.party_notification.usecases.facts import NotificationKit, query_code_of
from services.party_notification.usecases.outgoing import Parcel, Written
from services.party_notification.usecases.planning import plan_all
from services.party_notification.usecases.taking_back import take_back
from shared.clock import court_date
from shared.contracts.notices import NoticeIssued, NoticeWaits
from shared.crypto.codes import normalize, notice_number
from shared.db.transaction import Transaction, new_id


async def settle_debts(kit: NotificationKit, tx: Transaction, case_id: UUID, cause: UUID) -> None:
    """Write, or record as waiting, every notice that is owed and does not stand yet."""
    circle = await load(kit, tx, case_id, cause)
    if circle is None:
        return
    entries = await cases.progress_to_tell(tx.conn, case_id, tx.now)
    standing: dict[UUID, list[Row[Any]]] = {party_id: [] for party_id in circle.parties}
    for row in await take_back(kit, tx, circle, await notices.of_case(tx.conn, case_id)):
        standing.get(row.party_id, []).append(row)
    written = {
        party_id: await _settle_one(kit, tx, circle, party_id, mine, entries) for party_id, mine in standing.items()
    }
    await notices.add_all(tx.conn, circle.new)
    await _hand_over(kit, tx, circle, written)
    moments = (circle.next_hold(), await cases.next_telling(tx.conn, case_id, tx.now))
    settle_at = min((at for at in moments if at is not None), default=None)
    if settle_at != circle.row.settle_at:
        await holding.set_case(tx.conn, case_id, settle_at=settle_at)


async def _settle_one(
    kit: NotificationKit,
    tx: Transaction,
    circle: Circle,
    party_id: UUID,
    standing: Sequence[Row[Any]],
    entries: Sequence[Row[Any]],
) -> list[Written]:
    """What one party gets now: what waited and need not wait any more, and what is newly owed."""
    known = {(row.kind, row.entry) for row in standing}
    told_otherwise = any(row.state == "withdrawn" for row in standing)
    written = await _release(kit, tx, circle, [row for row in standing if row.state == "waiting"])
    if not (circle.rows[party_id].silent or told_otherwise):
        due = [each.kind for each in due_for_party(circle.case, circle.parties[party_id])]
        written += _owe(kit, tx, circle, party_id, [kind for kind in due if (kind.value, None) not in known])
    for entry in entries:
        if _concerns(circle, entry, party_id) and (Kind.PROGRESS.value, entry.entry) not in known:
            mine = replace(circle, cause=entry.cause, progress=opened(kit, entry))
            written += _owe(kit, tx, mine, party_id, [Kind.PROGRESS])
    return written


def _concerns(circle: Circle, entry: Row[Any], party_id: UUID) -> bool:
    """An entry is owed to who is of its audience and was a party when it was made; others read it online."""
    of_audience = circle.parties[party_id].role.value in entry.audience.split(",")
    return bool(of_audience and circle.rows[party_id].added_at <= entry.at)


def _owe(kit: NotificationKit, tx: Transaction, circle: Circle, party_id: UUID, owed: Sequence[Kind]) -> list[Written]:
    written = []
    waits = {kind: circle.waits(kind, party_id) for kind in owed}
    together = tuple(kind for kind, reason in waits.items() if reason is None)
    for kind, reason in waits.items():
        notice_id, party = new_id(), circle.parties[party_id]
        row = {
            "notice_id": notice_id,
            "case_id": UUID(circle.case.case_id),
            "party_id": party_id,
            "role": party.role.value,
            "kind": kind.value,
            "cause": circle.cause,
            "number": normalize(notice_number()),
            "entry": None if circle.progress is None else int(circle.progress.log_entry),
            "state": "waiting",
            "report_ordered": False,
            "created_at": tx.now,
        }
        if reason is not None:
            row |= _waiting(circle, row, reason)
        else:
            one = _write(kit, tx, circle, row, together)
            row |= one.values
            written.append(one)
        circle.new.append(row)
    return written


async def _release(kit: NotificationKit, tx: Transaction, circle: Circle, rows: Sequence[Row[Any]]) -> list[Written]:
    """What waited for one party: written now, together, or its reason brought up to date."""
    waits = {row.notice_id: circle.waits(Kind(row.kind), row.party_id) for row in rows}
    together = tuple(Kind(row.kind) for row in rows if row.entry is None and waits[row.notice_id] is None)
    written = []
    for row in rows:
        reason = waits[row.notice_id]
        if reason is None:
            told = replace(circle, progress=await progress_of(kit, tx, row.case_id, row.entry))
            one = _write(kit, tx, told, row._asdict(), () if row.entry is not None else together)
            await notices.change(tx.conn, row.notice_id, one.values)
            written.append(one)
        elif reason.reason != row.waits_reason:
            await notices.change(tx.conn, row.notice_id, _waiting(circle, row._asdict(), reason))
    return written


def _waiting(circle: Circle, row: dict[str, Any], waits: Waiting) -> dict[str, Any]:
    if waits.owner:
        circle.effects.events.append(NoticeWaits(**_about(row), reason=waits.reason, owner=waits.owner))
    return {"waits_reason": waits.reason, "waits_owner": waits.owner or None}


def _write(
    kit: NotificationKit, tx: Transaction, circle: Circle, row: dict[str, Any], together: tuple[Kind, ...]
) -> Written:
    party, kind = circle.parties[row["party_id"]], Kind(row["kind"])
    enclosures = tuple(other for other in together if other is not kind)
    facts = NoticeFacts(
        row["number"], kind, court_date(tx.now), circle.opponents(party), enclosures, progress=circle.progress
    )
    writer = renderer(kit)
    code = query_code_of(kit.keyring, circle.rows[row["party_id"]])
    letter = writer.letter(kind, circle.case, party, facts, code)
    values = _letter_values(kit, tx, row, party, letter) | {"letter_name": writer.file_name(facts, circle.case)}
    values |= {"report_ordered": circle.case.particulars.report_ordered}
    written = Written(row["notice_id"], facts, letter, values)
    way = way_of(party)
    told = "electronic" if way.by_mail else way.value
    ordered = circle.case.particulars.report_ordered and kind is Kind.ENFORCEMENT_NOTICE
    issued = NoticeIssued(**_about(row), way=told, issued_at=tx.now, report_ordered=ordered)
    circle.effects.events.append(issued)
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
        "issued_at": tx.now,
        "served_because": effect.because,
        "waits_reason": None,
        "waits_owner": None,
    }


async def _hand_over(kit: NotificationKit, tx: Transaction, circle: Circle, written: dict[UUID, list[Written]]) -> None:
    """What is due together to one person travels together."""
    told = [party_id for party_id, bundle in written.items() if bundle]
    if told:
        await doors.ask_for(tx.conn, told)
        tx.wake(DOOR_SIGNAL)
    parcels = [
        Parcel(circle.case, circle.parties[party_id], circle.rows[party_id], tuple(written[party_id]), circle.cause)
        for party_id in told
    ]
    await plan_all(kit, tx, parcels)
    await circle.effects.tell(tx, UUID(circle.case.case_id))


def _about(row: dict[str, Any]) -> dict[str, Any]:
    return {name: row[name] for name in ("case_id", "notice_id", "kind", "party_id", "role")}
