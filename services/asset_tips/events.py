"""What the desk does with a tip becomes its state for the sender."""

from services.asset_tips import store
from services.asset_tips.usecases import TipKit
from shared.contracts.desk import EvidenceAccepted, ItemActed, ItemDismissed, ItemTaken
from shared.contracts.envelope import Envelope
from shared.db.transaction import Transaction


async def on_item_taken(_kit: TipKit, tx: Transaction, event: ItemTaken, _envelope: Envelope) -> None:
    """Somebody is on it."""
    await store.set_moment(tx.conn, event.item_id, "taken_at", event.taken_at)
    await store.set_taker(tx.conn, event.item_id, event.taken_by)


async def on_evidence_accepted(_kit: TipKit, tx: Transaction, event: EvidenceAccepted, _envelope: Envelope) -> None:
    """The evidence was accepted."""
    await store.set_moment(tx.conn, event.item_id, "accepted_at", event.accepted_at)


async def on_item_acted(_kit: TipKit, tx: Transaction, event: ItemActed, _envelope: Envelope) -> None:
    """The deed was done."""
    await store.set_moment(tx.conn, event.item_id, "acted_at", event.acted_at)


async def on_item_dismissed(_kit: TipKit, tx: Transaction, event: ItemDismissed, _envelope: Envelope) -> None:
    """The evidence was checked and not accepted."""
    await store.set_moment(tx.conn, event.item_id, "dismissed_at", event.dismissed_at)
