"""What puts items on the desk."""

from services.duty_desk import store
from services.duty_desk.domain import Source
from services.duty_desk.settings import DeskKit
from services.duty_desk.usecases.acts import enter
from shared.contracts.cases import CaseFiled
from shared.contracts.envelope import Envelope
from shared.contracts.operations import TroubleReported
from shared.contracts.tips import TipReceived
from shared.db.transaction import Transaction


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
    """The product itself is in trouble. One cause may be told many times; it must not bury the tips."""
    row = {
        "item_id": event.trouble_id,
        "source": Source.TROUBLE.value,
        "number": event.kind,
        "body": kit.keyring.seal(event.summary, str(event.trouble_id)),
        "arrived_at": event.noticed_at,
        "trouble": kit.keyring.blind_index(f"{event.service}/{event.kind}/{event.summary}", "trouble"),
    }
    await enter(tx, kit, row)


async def on_case_filed(_kit: DeskKit, tx: Transaction, event: CaseFiled, _envelope: Envelope) -> None:
    """A case that an item may be linked to."""
    await store.put_case(tx.conn, event.case_id, event.facts.case_number)
