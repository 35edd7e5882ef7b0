"""What puts items on the desk, and what it keeps for others."""

from services.duty_desk import store
from services.duty_desk.domain import Source
from services.duty_desk.settings import DeskKit
from services.duty_desk.usecases.acts import enter, enter_trouble
from services.duty_desk.usecases.witness import keep_log_day
from shared.contracts.cases import CaseFiled
from shared.contracts.envelope import Envelope
from shared.contracts.operations import TroubleReported
from shared.contracts.stages import LogDaySealed
from shared.contracts.tips import TipReceived
from shared.db.transaction import Transaction
from shared.ledger.days import SealedDay


async def on_tip_received(kit: DeskKit, tx: Transaction, event: TipReceived, _envelope: Envelope) -> None:
    """A tip: the triage clock has been running since it arrived."""
    row = {
        "item_id": event.tip_id,
        "source": Source.TIP.value,
        "number": event.tip_number,
        "ground": event.ground.value,
        "body": kit.keyring.taken_in(event.body, str(event.tip_id)),
        "claimed_case_number": event.case_number,
        "arrived_at": event.arrived_at,
    }
    await enter(tx, kit, row)


async def on_trouble_reported(kit: DeskKit, tx: Transaction, event: TroubleReported, _envelope: Envelope) -> None:
    """The product itself is in trouble."""
    await enter_trouble(tx, kit, event)


async def on_log_day_sealed(kit: DeskKit, tx: Transaction, event: LogDaySealed, _envelope: Envelope) -> None:
    """A day of the case log was signed: the desk keeps it, apart from the log."""
    await keep_log_day(kit, tx, SealedDay(event.day, event.record, event.signature, event.key_id))


async def on_case_filed(_kit: DeskKit, tx: Transaction, event: CaseFiled, _envelope: Envelope) -> None:
    """A case that an item may be linked to."""
    await store.put_case(tx.conn, event.case_id, event.facts.case_number)
