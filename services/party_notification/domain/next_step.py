"""What to do next about a delivery: never silently lost, never silently twice (design 5).

An SMS only prompts: its failure neither ends nor opens the ladder of documents, it is shown. A document goes by
mail, and on paper as soon as mail cannot carry it.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from services.party_notification.domain.delivery import Channel, DeliveryState, Seen, State


@dataclass(frozen=True)
class Policy:
    """The times and limits of sending; figures of the court's own choosing, these are the defaults."""

    lease: timedelta = timedelta(minutes=2)
    sms_settle: timedelta = timedelta(minutes=2)
    query_gap: timedelta = timedelta(minutes=5)
    max_queries: int = 3
    receipt_wait: timedelta = timedelta(minutes=15)
    mail_settle: timedelta = timedelta(minutes=5)
    retry_first: timedelta = timedelta(seconds=15)
    retry_factor: int = 2
    retry_cap: timedelta = timedelta(minutes=30)
    max_attempts: int = 10
    paper_within: timedelta = timedelta(seconds=60)


@dataclass(frozen=True)
class Tried:
    """How often this message was tried on this channel, this attempt included, and how often in doubt."""

    attempts: int
    unknown: int = 0


@dataclass(frozen=True)
class Wait:
    """Nothing to do before `until`; None: the queue has it in hand."""

    until: datetime | None = None


@dataclass(frozen=True)
class RetryAt:
    """Plan another attempt for `at`: the last one did not go through."""

    at: datetime


@dataclass(frozen=True)
class Reconcile:
    """Ask the carrier at `at` what became of the message; record what it says."""

    at: datetime


@dataclass(frozen=True)
class ResendSameId:
    """Send the mail once more at `at` with the same Message-ID; its record says "possibly twice"."""

    at: datetime


@dataclass(frozen=True)
class ToPerson:
    """An officer decides, with the evidence; `reason` is Chinese."""

    reason: str


@dataclass(frozen=True)
class GoPaper:
    """The documents go on the paper worklist not later than `by`; `reason` is Chinese."""

    by: datetime
    reason: str


@dataclass(frozen=True)
class Done:
    """Nothing more to do; `note`, if any, is shown with the delivery."""

    note: str | None = None


Step = Wait | RetryAt | Reconcile | ResendSameId | ToPerson | GoPaper | Done


def next_step(state: DeliveryState, channel: Channel, tried: Tried, now: datetime, policy: Policy) -> Step:
    """The one next step for the latest attempt of a message on a channel, as of `now` (aware)."""
    if state.at is None:
        return Wait()
    if state.state is State.INTENT:
        return _after_intent(state.at, channel, tried, now, policy)
    if state.state is State.UNKNOWN:
        return _after_unknown(state.at, state.queries, channel, tried, policy)
    if state.state is State.FAILED:
        return _after_failure(state, state.at, channel, tried, policy)
    if state.state is State.SENT and channel is Channel.SMS:
        return _awaiting_receipt(state.at, state.queries, policy)
    return Done()


def _after_intent(at: datetime, channel: Channel, tried: Tried, now: datetime, policy: Policy) -> Step:
    """An intent whose lease ran out without an outcome counts as unknown: bytes may have left."""
    if now < at + policy.lease:
        return Wait(at + policy.lease)
    return _after_unknown(at + policy.lease, 0, channel, Tried(tried.attempts, tried.unknown + 1), policy)


def _after_unknown(at: datetime, queries: int, channel: Channel, tried: Tried, policy: Policy) -> Step:
    if channel is Channel.MAIL:
        if tried.unknown <= 1:
            return ResendSameId(at + policy.mail_settle)
        return ToPerson("邮件两次发送均无法确认结果，请核对证据后决定重发或改用纸质送达。")
    if queries < policy.max_queries:
        return Reconcile(at + policy.sms_settle + queries * policy.query_gap)
    return ToPerson("短信是否发出无法向运营商查明，请核对证据后决定是否重发。")


def _after_failure(state: DeliveryState, at: datetime, channel: Channel, tried: Tried, policy: Policy) -> Step:
    if channel is Channel.SMS and (state.permanent or state.cause is Seen.RECEIPT_FAILED):
        return Done("短信未能送达，不影响文书送达。")
    if state.permanent:
        return GoPaper(at + policy.paper_within, "电子邮件无法送达，改用纸质送达。")
    return _retry(at, tried.attempts, policy)


def _retry(at: datetime, attempts: int, policy: Policy) -> Step:
    if attempts >= policy.max_attempts:
        return ToPerson(f"已尝试{attempts}次仍未能发出，请检查通道后决定重发或改用其他方式。")
    delay = policy.retry_first * policy.retry_factor ** min(attempts - 1, 32)
    return RetryAt(at + min(delay, policy.retry_cap))


def _awaiting_receipt(at: datetime, queries: int, policy: Policy) -> Step:
    if queries >= policy.max_queries:
        return Done("短信已发出，未收到送达回执。")
    return Reconcile(at + policy.receipt_wait + queries * policy.query_gap)
