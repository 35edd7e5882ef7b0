"""Something was seen of a delivery: it is appended, the state is folded anew, and the next step follows from it."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Literal
from uuid import UUID

from sqlalchemy import Row

from services.party_notification.domain.delivery import (
    Channel,
    DeliveryState,
    Observation,
    Seen,
    State,
    fold,
    possibly_twice,
)
from services.party_notification.domain.next_step import (
    Done,
    GoPaper,
    Reconcile,
    ResendSameId,
    RetryAt,
    Step,
    ToPerson,
    Tried,
    Wait,
    next_step,
)
from services.party_notification.store import cases, notices, sending
from services.party_notification.store.withdrawing import DISOWNED, MISFILED
from services.party_notification.usecases.corrections import owe_corrections
from services.party_notification.usecases.effects import Effects, about, judge_all, tell_all
from services.party_notification.usecases.facts import NotificationKit
from services.party_notification.usecases.outgoing import SEND_SIGNAL
from services.party_notification.usecases.planning import to_paper
from services.party_notification.usecases.prompts import mail_lost, mails_taken
from services.party_notification.usecases.reissuing import letters_for_paper
from shared.contracts.envelope import Event
from shared.contracts.notices import DeliveryTroubled, NoticeSent
from shared.db.transaction import Transaction, new_id

TRIES_UNTIL_TOLD = 10
DISOWNED_REASON = "邮箱持有人表示与当事人无关，改用纸质送达。"
_CORRECTION_FAILED = "更正告知未能送达，请设法以其他方式告知收件人。"
_GONE_OUT = {Seen.SENT, Seen.QUERY_FOUND, Seen.RECEIPT_DELIVERED, Seen.RULED_ARRIVED}


@dataclass(frozen=True)
class Sighting:
    """What was seen. `detail` is Chinese without personal data; `raw` is the provider's own words, sealed here.

    `decided`: an officer's decision on what follows; nothing else follows then by itself.
    """

    seen: Seen
    permanent: bool = True
    detail: str | None = None
    raw: str | None = None
    provider_id: str | None = None
    epoch: int | None = None
    by: UUID | None = None
    decided: Step | None = None
    retry_after: float = 0.0
    """Seconds that the other side asked us to wait."""


async def note(kit: NotificationKit, tx: Transaction, delivery_id: UUID, sighting: Sighting) -> None:
    """As `note_all`, of one delivery."""
    await note_all(kit, tx, {delivery_id: sighting})


@dataclass(frozen=True)
class _Noted:
    """A delivery, locked, with the sighting that was just appended, the message's attempts and what follows."""

    row: Row[Any]
    sighting: Sighting
    attempts: dict[int, DeliveryState]
    step: Step

    @property
    def latest(self) -> bool:
        """What a later attempt took over is that attempt's business, whatever still arrives about this one."""
        return bool(self.row.attempt == max(self.attempts))

    @property
    def is_sent(self) -> bool:
        """An SMS only prompts: a notice is sent by what carries its letter. Of a correction it says all.

        A mail that came back is not sent by a late word that it left.
        """
        stands = self.row.channel == Channel.MAIL and self.attempts[self.row.attempt].state is not State.FAILED
        return self.sighting.seen in _GONE_OUT and (stands or self.row.corrects)

    @property
    def is_judged(self) -> bool:
        """Whether it bears on the legal effect of notices."""
        return self.row.channel == Channel.MAIL and not self.row.corrects


async def note_all(kit: NotificationKit, tx: Transaction, seen: Mapping[UUID, Sighting]) -> None:
    """Append a sighting of each delivery and draw every consequence, in the caller's transaction.

    No two of the deliveries are of one message.
    """
    rows = await sending.lock_deliveries(tx.conn, list(seen))
    if not rows:
        return
    await sending.observe(tx.conn, *(_observation(kit, tx, row.delivery_id, seen[row.delivery_id]) for row in rows))
    attempts = await _attempts(tx, [row.message_id for row in rows])
    noted = [_noted(kit, row, seen[row.delivery_id], attempts[row.message_id]) for row in rows]
    await sending.set_states(tx.conn, [_values(each) for each in noted])
    effects: dict[UUID, Effects] = defaultdict(Effects)
    for each in noted:
        effects[each.row.case_id].deeds.append(_deed(each))
        effects[each.row.case_id].events += await _follow(kit, tx, each)
    await _serve(tx, noted, effects)
    await tell_all(tx, effects)
    for party_id in sorted({each.row.party_id for each in noted if each.row.withdrawn == MISFILED}):
        await owe_corrections(kit, tx, party_id)


def _deed(noted: _Noted) -> tuple[str, dict[str, Any]]:
    row = noted.row
    body = {"delivery_id": str(row.delivery_id), "channel": row.channel, "attempt": row.attempt}
    return f"delivery.{noted.sighting.seen}", body | {"detail": noted.sighting.detail}


async def _follow(kit: NotificationKit, tx: Transaction, noted: _Noted) -> list[Event]:
    """Carry out the next step; what is to be told of it."""
    row = noted.row
    told = await _carry_out(kit, tx, row, noted.step)
    if possibly_twice(list(noted.attempts.values())):
        await sending.set_possibly_twice(tx.conn, row.message_id)
    if noted.sighting.seen in _GONE_OUT and not noted.latest:
        await sending.withdraw_later(tx.conn, row.message_id, row.attempt)
    return told


async def _serve(tx: Transaction, noted: Sequence[_Noted], effects: Mapping[UUID, Effects]) -> None:
    """What the sightings mean for the notices that the messages carry."""
    sent = {each.row.message_id: each.row.channel for each in noted if each.is_sent}
    for notice in await notices.mark_sent(tx.conn, list(sent), tx.now) if sent else ():
        event = NoticeSent(**about(notice), channel=sent[notice.message_id], sent_at=tx.now)
        effects[notice.case_id].events.append(event)
    await mails_taken(tx, [each.row.message_id for each in noted if each.is_sent and not each.row.corrects])
    judged = [each.row.message_id for each in noted if each.is_judged]
    if judged:
        await judge_all(tx, await notices.carried_by(tx.conn, *judged), effects)


def _observation(kit: NotificationKit, tx: Transaction, delivery_id: UUID, sighting: Sighting) -> dict[str, Any]:
    raw = None if sighting.raw is None else kit.keyring.seal(sighting.raw, f"{delivery_id}/raw")
    return {
        "delivery_id": delivery_id,
        "seen": sighting.seen.value,
        "product_time": tx.now,
        "permanent": sighting.permanent,
        "epoch": sighting.epoch,
        "detail": sighting.detail,
        "raw": raw,
        "noted_by": sighting.by,
    }


async def _attempts(tx: Transaction, message_ids: Sequence[UUID]) -> dict[UUID, dict[int, DeliveryState]]:
    """Every attempt of each message, folded, by its number; one that was dropped before it left is none."""
    seen: dict[UUID, dict[int, list[Observation]]] = {message_id: {} for message_id in message_ids}
    for row in await sending.observed(tx.conn, message_ids):
        if row.seen is None and row.step == "done":
            continue
        mine = seen[row.message_id].setdefault(row.attempt, [])
        if row.seen is not None:
            mine.append(Observation(Seen(row.seen), row.noted_at, row.permanent))
    return {
        message_id: {attempt: fold(observations) for attempt, observations in attempts.items()}
        for message_id, attempts in seen.items()
    }


def _noted(kit: NotificationKit, row: Row[Any], sighting: Sighting, attempts: dict[int, DeliveryState]) -> _Noted:
    tried = Tried(len(attempts), sum(attempt.ever_unknown for attempt in attempts.values()))
    noted = _Noted(row, sighting, attempts, Done())
    if noted.latest:
        step = next_step(attempts[row.attempt], Channel(row.channel), tried, row.machine_time, kit.settings.policy)
        noted = replace(noted, step=step)
    step = sighting.decided or noted.step
    if row.withdrawn:
        step = _of_withdrawn(step, row)
    if isinstance(step, RetryAt):
        step = RetryAt(max(step.at, row.machine_time + timedelta(seconds=sighting.retry_after)))
    return replace(noted, step=step)


def _values(noted: _Noted) -> dict[str, Any]:
    """The delivery's state and next step as the queue keeps them."""
    row, sighting, state = noted.row, noted.sighting, noted.attempts[noted.row.attempt]
    scheduled = _scheduled(noted.step, state)
    return {
        **scheduled,
        "delivery_id": row.delivery_id,
        "state": state.state.value,
        "reason": sighting.detail if scheduled["reason"] is None else scheduled["reason"],
        "provider_id": row.provider_id if sighting.provider_id is None else sighting.provider_id,
    }


def _of_withdrawn(step: Step, row: Row[Any]) -> Step:
    """Nothing of a withdrawn message is sent again; the letters of a party whose mailbox it is not go on paper."""
    match step:
        case Wait() | Reconcile():
            return step
        case RetryAt() | ResendSameId() | ToPerson() | GoPaper() if row.withdrawn == DISOWNED and row.channel == "mail":
            return GoPaper(row.machine_time, DISOWNED_REASON)
        case _:
            return Done()


def _scheduled(step: Step, state: DeliveryState) -> dict[str, Any]:
    """The step as the queue keeps it: what is done at once by `_carry_out` leaves nothing due here."""
    due_at: datetime | None = None
    reason: str | None = None
    name = "done"
    match step:
        case Wait(until):
            name, due_at = ("expire" if state.state is State.INTENT else "wait"), until
        case Reconcile(at):
            name, due_at = "reconcile", at
        case ResendSameId(at):
            name, due_at = "resend", at
        case ToPerson(why):
            name, reason = "person", why
        case GoPaper(_, why) | Done(why):
            reason = why
        case RetryAt():
            pass
    return {"step": name, "due_at": due_at, "reason": reason}


async def _carry_out(kit: NotificationKit, tx: Transaction, row: Row[Any], step: Step) -> list[Event]:
    trouble: tuple[Literal["failed", "unknown"], str] | None = None
    match step:
        case RetryAt(at):
            await try_again(tx, row, at)
            if row.attempt == TRIES_UNTIL_TOLD:
                trouble = ("failed", f"已尝试{row.attempt}次仍未发出，系统继续重试，请检查发送通道。")
        case GoPaper(_, reason):
            await send_on_paper(kit, tx, row, reason)
            if not row.corrects:
                await mail_lost(kit, tx, row)
            trouble = ("failed", _CORRECTION_FAILED if row.corrects else reason)
        case ToPerson(reason):
            trouble = ("unknown", reason)
        case Done(note) if note is not None and row.channel == Channel.SMS and row.state != State.SENT:
            trouble = ("failed", note)
        case _:
            pass
    return [] if trouble is None else await _troubles(tx, row, *trouble)


async def try_again(tx: Transaction, row: Row[Any], at: Any = None) -> None:
    """Plan the next attempt of the same message: same content, same Message-ID."""
    attempt = {
        "delivery_id": new_id(),
        "message_id": row.message_id,
        "channel": row.channel,
        "address_id": row.address_id,
        "attempt": await sending.next_attempt(tx.conn, row.message_id),
    }
    await sending.add_delivery(tx.conn, attempt, at)
    tx.wake(SEND_SIGNAL)


async def send_on_paper(kit: NotificationKit, tx: Transaction, row: Row[Any], reason: str) -> None:
    """Put the message's letters on the paper worklist. A correction goes only where the error went."""
    if row.corrects:
        return
    party = await cases.get_party(tx.conn, row.party_id)
    carried = await notices.carried_by(tx.conn, row.message_id)
    if party is not None:
        await to_paper(tx, party, row.cause, await letters_for_paper(kit, tx, party, carried), reason)


async def _troubles(tx: Transaction, row: Row[Any], trouble: Literal["failed", "unknown"], reason: str) -> list[Event]:
    particulars = {"delivery_id": row.delivery_id, "channel": row.channel, "trouble": trouble, "reason": reason}
    carried = await notices.carried_by(tx.conn, row.message_id)
    return [DeliveryTroubled(**about(notice), **particulars) for notice in carried]
