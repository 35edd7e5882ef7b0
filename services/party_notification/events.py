"""One function per consumed event: bring the projection up to date, then settle what is owed."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from services.party_notification.store import cases, log_days
from services.party_notification.store import holding as holding_store
from services.party_notification.usecases import holding, readings, registering
from services.party_notification.usecases.contacts import follow_contacts
from services.party_notification.usecases.doors import DOOR_SIGNAL, suffix_of
from services.party_notification.usecases.facts import NotificationKit
from services.party_notification.usecases.issuing import settle_debts
from services.party_notification.usecases.misfiling import withdraw_party
from shared.contracts.cases import (
    CaseAssigned,
    CaseCorrected,
    CaseFacts,
    CaseFiled,
    JudgeCorrected,
    NoticesRecalled,
    NoticesReleased,
    PartyAdded,
    PartyChanged,
    PartyFacts,
    PartyIdentity,
    PartyMisfiled,
)
from shared.contracts.envelope import Envelope
from shared.contracts.staff import StaffSeen
from shared.contracts.stages import (
    DeadlineMet,
    DeadlineSet,
    DeadlineWithdrawn,
    LogDaySealed,
    Milestone,
    MilestoneReached,
    PeriodOpened,
    ProgressPublished,
)
from shared.crypto.codes import query_code
from shared.db.transaction import Transaction
from shared.errors import NotYet
from shared.ledger.days import SealedDay


async def on_case_filed(kit: NotificationKit, tx: Transaction, event: CaseFiled, envelope: Envelope) -> None:
    """A case and its parties; nobody is told before a judge has it."""
    await cases.put_case(tx.conn, event.case_id, envelope.court, _own_facts(kit, event))
    await holding_store.set_case(tx.conn, event.case_id, hold_until=event.hold_until)
    await _put_parties(kit, tx, event.parties, envelope, event)


def _own_facts(kit: NotificationKit, event: CaseFiled | CaseCorrected) -> CaseFacts:
    sealed = event.facts.obligation
    own = None if sealed is None else kit.keyring.taken_in(sealed, str(event.case_id))
    return event.facts.model_copy(update={"obligation": own})


async def on_case_corrected(kit: NotificationKit, tx: Transaction, event: CaseCorrected, envelope: Envelope) -> None:
    """Completed facts may release what waited for them."""
    await cases.put_case(tx.conn, event.case_id, envelope.court, _own_facts(kit, event))
    await settle_debts(kit, tx, event.case_id, envelope.id)


async def on_case_assigned(kit: NotificationKit, tx: Transaction, event: CaseAssigned, envelope: Envelope) -> None:
    """A judge has the case: the notices of the filing are due."""
    await cases.assign(tx.conn, event)
    await settle_debts(kit, tx, event.case_id, envelope.id)


async def on_judge_corrected(kit: NotificationKit, tx: Transaction, event: JudgeCorrected, envelope: Envelope) -> None:
    """A corrected landline may release what waited for it."""
    await cases.set_judge(tx.conn, event.case_id, event.judge)
    await settle_debts(kit, tx, event.case_id, envelope.id)


async def on_party_added(kit: NotificationKit, tx: Transaction, event: PartyAdded, envelope: Envelope) -> None:
    """Told alone, or, when the case is complete by it, together with all others."""
    await _put_parties(kit, tx, [event.party], envelope, event)
    await settle_debts(kit, tx, event.case_id, envelope.id)


async def on_party_changed(kit: NotificationKit, tx: Transaction, event: PartyChanged, envelope: Envelope) -> None:
    """New particulars may release what waited for them, and replace a contact that its holder disowned."""
    await cases.lock_case(tx.conn, event.case_id)
    await _put_parties(kit, tx, [event.party], envelope, event)
    await registering.compare(kit, tx, event.party.party_id)
    await follow_contacts(kit, tx, event.party.party_id, envelope.id)
    await settle_debts(kit, tx, event.case_id, envelope.id)


async def on_party_misfiled(kit: NotificationKit, tx: Transaction, event: PartyMisfiled, envelope: Envelope) -> None:
    """Whoever was told wrongly is told of it; the others' notices may be owed anew."""
    await withdraw_party(kit, tx, event)
    await settle_debts(kit, tx, event.case_id, envelope.id)


async def on_notices_recalled(
    kit: NotificationKit, tx: Transaction, event: NoticesRecalled, envelope: Envelope
) -> None:
    """What has not left stays."""
    await holding.recall(kit, tx, event.case_id, event.by, envelope.id)


async def on_notices_released(
    kit: NotificationKit, tx: Transaction, event: NoticesReleased, envelope: Envelope
) -> None:
    """It leaves after all."""
    await holding.release(kit, tx, event.case_id, event.by, envelope.id)


async def _put_parties(
    kit: NotificationKit,
    tx: Transaction,
    parties: Sequence[PartyFacts],
    envelope: Envelope,
    event: CaseFiled | PartyAdded | PartyChanged,
) -> None:
    if isinstance(event, PartyChanged):
        door_due = await _needs_other_door(kit, tx, event.party)
    else:
        door_due = not event.silent
    new = [_new_party(kit, party, event, envelope.time, door_due=door_due) for party in parties]
    await cases.put_parties(tx.conn, new)
    tx.wake(DOOR_SIGNAL)
    tx.wake(registering.CONTACT_SIGNAL)


def _new_party(
    kit: NotificationKit,
    party: PartyFacts,
    event: CaseFiled | PartyAdded | PartyChanged,
    added_at: datetime,
    *,
    door_due: bool,
) -> cases.NewParty:
    about = str(party.party_id)
    return cases.NewParty(
        party_id=party.party_id,
        case_id=event.case_id,
        role=party.role.value,
        consents=party.consents,
        address_confirmed_on=party.address_confirmed_on,
        minor=party.minor,
        identity=kit.keyring.taken_in(party.identity, about),
        silent=not isinstance(event, PartyChanged) and event.silent,
        hold_until=event.hold_until if isinstance(event, PartyAdded) else None,
        added_at=added_at,
        code=kit.keyring.seal(query_code(), f"{about}/code"),
        door_due=door_due,
    )


async def _needs_other_door(kit: NotificationKit, tx: Transaction, party: PartyFacts) -> bool:
    """Whether another end of the ID number is asked for at the party's door than before."""
    row = await cases.get_party(tx.conn, party.party_id)
    if row is None:
        return True
    now = kit.keyring.open_model(PartyIdentity, party.identity, str(party.party_id))
    return bool(row.door_due or suffix_of(kit, row) != now.id_number[-6:].upper())


async def on_progress_published(
    kit: NotificationKit, tx: Transaction, event: ProgressPublished, envelope: Envelope
) -> None:
    """An entry of the parties' timeline and, when it is to be told, a progress notice."""
    await _known(tx, event.case_id)
    text = kit.keyring.taken_in(event.text, str(event.case_id))
    await cases.put_progress(tx.conn, event.model_copy(update={"text": text}), envelope.id)
    await settle_debts(kit, tx, event.case_id, envelope.id)


async def on_period_opened(_kit: NotificationKit, tx: Transaction, event: PeriodOpened, _envelope: Envelope) -> None:
    """The case entered a period."""
    await cases.put_period(tx.conn, event.case_id, event.period.value, event.on)


async def on_milestone_reached(
    _kit: NotificationKit, tx: Transaction, event: MilestoneReached, _envelope: Envelope
) -> None:
    """Of the milestones only the closure means anything to the parties' pages."""
    if event.milestone is Milestone.CLOSURE and not await cases.close(tx.conn, event.case_id, event.on):
        raise NotYet(f"case {event.case_id}")


async def on_deadline_set(_kit: NotificationKit, tx: Transaction, event: DeadlineSet, _envelope: Envelope) -> None:
    """A clock of the case runs."""
    await cases.put_clock(tx.conn, event)


async def on_deadline_met(_kit: NotificationKit, tx: Transaction, event: DeadlineMet, _envelope: Envelope) -> None:
    """A clock of the case stopped."""
    await cases.stop_clock(tx.conn, event.case_id, event.kind, event.met_at)


async def on_deadline_withdrawn(
    _kit: NotificationKit, tx: Transaction, event: DeadlineWithdrawn, _envelope: Envelope
) -> None:
    """A clock of the case does not run after all."""
    await cases.drop_clock(tx.conn, event.case_id, event.kind)


async def on_log_day_sealed(_kit: NotificationKit, tx: Transaction, event: LogDaySealed, _envelope: Envelope) -> None:
    """A day of the case log was signed: the next evidence carries it."""
    await log_days.keep(tx.conn, SealedDay(event.day, event.record, event.signature, event.key_id))


async def on_staff_seen(kit: NotificationKit, tx: Transaction, event: StaffSeen, _envelope: Envelope) -> None:
    """What is opened from there counts for no service by itself."""
    await readings.see_staff(kit, tx, event)


async def _known(tx: Transaction, case_id: UUID) -> None:
    if await cases.get_case(tx.conn, case_id) is None:
        raise NotYet
