"""What filing learns from the others."""

from services.case_intake.settings import IntakeKit
from services.case_intake.store import cases, judges
from services.case_intake.usecases.assignment import JUDGES_SIGNAL
from services.case_intake.usecases.records import party_entry
from shared.contracts.cases import JudgeCorrected, Officer
from shared.contracts.envelope import Envelope
from shared.contracts.notices import ContactConfirmed, ContactDisowned
from shared.contracts.staff import MemberChanged
from shared.contracts.stages import Milestone, MilestoneReached
from shared.crypto.sealed import SealError
from shared.db.transaction import Transaction
from shared.powers import Role, handled

_DOUBTS = {"sms": "phone_disowned_at", "mail": "email_disowned_at"}


async def on_member_changed(_kit: IntakeKit, tx: Transaction, event: MemberChanged, _envelope: Envelope) -> None:
    """Keep whoever handles cases as they now are; cases may wait for one, and letters state name and landline."""
    presides = event.active and Role.PRESIDING in event.roles
    await judges.set_presiding(tx.conn, event.staff_id, event.panel if presides else None)
    powers = handled(event.roles)
    if not powers:
        await judges.retire_judge(tx.conn, event.staff_id)
        return
    await judges.lock_open_cases(tx.conn, event.staff_id)  # before the judge, as whoever assigns locks them
    former = await judges.get_judge(tx.conn, event.staff_id)
    values = event.model_dump(include={"staff_id", "court", "name", "phone", "department", "panel", "active"})
    await judges.put_judge(tx.conn, {**values, "powers": sorted(powers)})
    tx.wake(JUDGES_SIGNAL)
    if former is not None and (former.name, former.phone) != (event.name, event.phone):
        judge = Officer(staff_id=event.staff_id, name=event.name, phone=event.phone)
        # Asked again: a case may have come to the judge until the row was ours.
        for case_id in await judges.lock_open_cases(tx.conn, event.staff_id):
            await tx.emit(JudgeCorrected(case_id=case_id, judge=judge))


async def on_contact_disowned(kit: IntakeKit, tx: Transaction, event: ContactDisowned, _envelope: Envelope) -> None:
    """Keep in doubt the contact whose holder is somebody else, until the clerk changes it or it is confirmed."""
    if event.registered and await _is_registered(kit, tx, event):
        await cases.change_party(tx.conn, event.party_id, {_DOUBTS[event.channel]: event.disowned_at})


async def on_contact_confirmed(kit: IntakeKit, tx: Transaction, event: ContactConfirmed, _envelope: Envelope) -> None:
    """The contact is the party's after all."""
    if await _is_registered(kit, tx, event):
        await cases.change_party(tx.conn, event.party_id, {_DOUBTS[event.channel]: None})


async def _is_registered(kit: IntakeKit, tx: Transaction, event: ContactDisowned | ContactConfirmed) -> bool:
    """Whether the event speaks of what is registered now; an older one does not say of what it speaks."""
    row = await cases.find_party(tx.conn, event.party_id)
    if row is None or event.address is None:
        return row is not None
    try:
        entry = party_entry(kit, row)
        told = kit.keyring.open(event.address, str(event.party_id))
    except SealError:
        return True  # nothing can be compared: better a doubt too many, which the case's page shows
    now = {"sms": entry.contact_phone, "mail": entry.identity.email}[event.channel]
    return now is not None and now.lower() == told.lower()


async def on_milestone_reached(_kit: IntakeKit, tx: Transaction, event: MilestoneReached, _envelope: Envelope) -> None:
    """A closed case burdens its judge no more; it and one that is archived are shown as such."""
    if event.milestone is Milestone.CLOSURE:
        await cases.change_case(tx.conn, event.case_id, {"open": False})
    elif event.milestone is Milestone.ARCHIVING:
        await cases.change_case(tx.conn, event.case_id, {"open": False, "archived": True})
