"""What filing learns from the others."""

from services.case_intake.settings import IntakeKit
from services.case_intake.store import cases, judges
from services.case_intake.usecases.assignment import JUDGES_SIGNAL
from shared.contracts.cases import JudgeCorrected, Officer
from shared.contracts.envelope import Envelope
from shared.contracts.notices import ContactDisowned
from shared.contracts.staff import MemberChanged
from shared.contracts.stages import Milestone, MilestoneReached
from shared.db.transaction import Transaction
from shared.powers import Role, handled


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


async def on_contact_disowned(_kit: IntakeKit, tx: Transaction, event: ContactDisowned, _envelope: Envelope) -> None:
    """Keep in doubt the contact whose holder is somebody else, until the clerk changes it."""
    column = {"sms": "phone_disowned_at", "mail": "email_disowned_at"}[event.channel]
    await cases.change_party(tx.conn, event.party_id, {column: event.disowned_at})


async def on_milestone_reached(_kit: IntakeKit, tx: Transaction, event: MilestoneReached, _envelope: Envelope) -> None:
    """A closed case burdens its judge no more; it and one that is archived are shown as such."""
    if event.milestone is Milestone.CLOSURE:
        await cases.change_case(tx.conn, event.case_id, {"open": False})
    elif event.milestone is Milestone.ARCHIVING:
        await cases.change_case(tx.conn, event.case_id, {"open": False, "archived": True})
