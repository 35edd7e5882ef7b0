"""An SMS about what was mailed follows its mail: what it says is what became of the mail by then."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Row

from services.party_notification.domain.notices import Kind, NoticeFacts
from services.party_notification.store import cases, notices, prompting
from services.party_notification.usecases.facts import NotificationKit, case_facts, party_facts
from services.party_notification.usecases.outgoing import SEND_SIGNAL, Parcel, Written, put_all
from services.party_notification.usecases.planning import retraction
from shared.clock import court_date
from shared.db.transaction import Transaction, new_id


async def mails_taken(tx: Transaction, mail_ids: Sequence[UUID]) -> None:
    """The SMS that waited for these mails leave, and say so."""
    if mail_ids and await prompting.say(tx.conn, mail_ids, mailed=True):
        tx.wake(SEND_SIGNAL)


async def mail_lost(kit: NotificationKit, tx: Transaction, mail: Row[Any]) -> None:
    """The mail did not arrive and will not: what has not left says nothing of it; what has is taken back, once."""
    if await prompting.say(tx.conn, [mail.message_id], mailed=False):
        tx.wake(SEND_SIGNAL)
    said = await prompting.said_mailed(tx.conn, mail.message_id)
    party = await cases.get_party(tx.conn, mail.party_id)
    case = await cases.get_case(tx.conn, mail.case_id)
    if not said or case is None or party is None or party.misfiled_at is not None:
        return
    carried = [row for row in await notices.carried_by(tx.conn, mail.message_id) if row.state == "issued"]
    bundle = tuple(
        Written(row.notice_id, NoticeFacts(row.number, Kind(row.kind), court_date(row.issued_at)), b"", {})
        for row in carried
    )
    parcel = Parcel(case_facts(kit.keyring, case), party_facts(kit.keyring, party), party, bundle, new_id())
    first = next((row for row in said if row.address_id not in party.disowned), None)
    if bundle and first is not None:
        number = kit.keyring.open(first.address, f"{first.message_id}/address")
        await put_all(kit, tx, [retraction(kit, parcel, number, mail.message_id)])
