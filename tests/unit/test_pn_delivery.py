"""The fold of observations, and what to do next about a delivery."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

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
    Policy,
    Reconcile,
    ResendSameId,
    RetryAt,
    ToPerson,
    Tried,
    Wait,
    next_step,
)

T0 = datetime(2026, 6, 16, 1, 0, tzinfo=UTC)
POLICY = Policy()
RULINGS = {Seen.RULED_ARRIVED, Seen.RULED_NOT_ARRIVED}


def seen(what: Seen, minute: int = 0, *, permanent: bool = True) -> Observation:
    return Observation(what, T0 + timedelta(minutes=minute), permanent)


observations = st.lists(st.builds(seen, st.sampled_from(Seen), st.integers(0, 5), permanent=st.booleans()), max_size=7)


@given(observations, st.randoms(use_true_random=False))
def test_any_order_converges(told: list[Observation], random) -> None:
    shuffled = list(told)
    random.shuffle(shuffled)
    assert fold(shuffled) == fold(told)


@given(observations, st.data())
def test_any_repetition_converges(told: list[Observation], data) -> None:
    again = data.draw(st.lists(st.sampled_from(told), max_size=5)) if told else []
    assert fold([*told, *again]) == fold(told)


@given(observations, observations)
def test_without_a_ruling_nothing_seen_later_takes_anything_back(first, later) -> None:
    rank = list(Seen)
    first = [o for o in first if o.seen not in RULINGS]
    later = [o for o in later if o.seen not in RULINGS]
    before, after = fold(first), fold(first + later)
    if before.cause:
        assert after.cause
        assert rank.index(after.cause) >= rank.index(before.cause)
    assert after.ever_unknown >= before.ever_unknown


@pytest.mark.parametrize(
    ("told", "state"),
    [
        ([], State.PLANNED),
        ([seen(Seen.INTENT)], State.INTENT),
        ([seen(Seen.INTENT), seen(Seen.SENT)], State.SENT),
        ([seen(Seen.INTENT), seen(Seen.UNKNOWN)], State.UNKNOWN),
        ([seen(Seen.UNKNOWN), seen(Seen.QUERY_NOT_FOUND)], State.UNKNOWN),
        ([seen(Seen.UNKNOWN), seen(Seen.QUERY_FOUND)], State.SENT),
        ([seen(Seen.UNKNOWN), seen(Seen.SENT)], State.SENT),
        ([seen(Seen.UNKNOWN), seen(Seen.RECEIPT_DELIVERED)], State.DELIVERED),
        ([seen(Seen.UNKNOWN), seen(Seen.NOT_LEFT)], State.FAILED),
        ([seen(Seen.SENT), seen(Seen.RECEIPT_FAILED)], State.FAILED),
        ([seen(Seen.RECEIPT_DELIVERED), seen(Seen.BOUNCED)], State.FAILED),
        ([seen(Seen.SENT), seen(Seen.RULED_NOT_ARRIVED, 1)], State.FAILED),
        ([seen(Seen.UNKNOWN), seen(Seen.RULED_ARRIVED, 1)], State.DELIVERED),
        ([seen(Seen.RULED_NOT_ARRIVED, 1), seen(Seen.RECEIPT_DELIVERED, 2)], State.DELIVERED),
        ([seen(Seen.RECEIPT_DELIVERED, 0), seen(Seen.RULED_NOT_ARRIVED, 1)], State.FAILED),
        ([seen(Seen.RULED_ARRIVED, 1), seen(Seen.BOUNCED, 2)], State.FAILED),
        ([seen(Seen.BOUNCED, 0), seen(Seen.RULED_ARRIVED, 1)], State.DELIVERED),
        ([seen(Seen.BOUNCED, 1), seen(Seen.RULED_ARRIVED, 1)], State.DELIVERED),
    ],
)
def test_fold_table(told: list[Observation], state: State) -> None:
    assert fold(told).state is state


def test_a_claimed_delivery_without_observations() -> None:
    assert fold([], claimed=True).state is State.CLAIMED
    assert fold([seen(Seen.SENT)], claimed=True).state is State.SENT


def test_a_bounce_after_delivered_reopens() -> None:
    assert fold([seen(Seen.RECEIPT_DELIVERED), seen(Seen.BOUNCED, 1)]).reopened
    assert not fold([seen(Seen.SENT), seen(Seen.BOUNCED, 1)]).reopened


def test_the_first_of_equal_reports_sets_the_day() -> None:
    assert fold([seen(Seen.SENT, 3), seen(Seen.SENT, 1)]).at == T0 + timedelta(minutes=1)


def test_a_permanent_bounce_outweighs_an_earlier_passing_one() -> None:
    assert fold([seen(Seen.BOUNCED, 0, permanent=False), seen(Seen.BOUNCED, 4)]).permanent


@pytest.mark.parametrize(
    ("attempts", "twice"),
    [
        ([[seen(Seen.UNKNOWN)]], False),
        ([[seen(Seen.UNKNOWN)], [seen(Seen.SENT)]], True),
        ([[seen(Seen.UNKNOWN)], [seen(Seen.INTENT)]], True),
        ([[seen(Seen.UNKNOWN)], [seen(Seen.NOT_LEFT)]], False),
        ([[seen(Seen.UNKNOWN), seen(Seen.NOT_LEFT)], [seen(Seen.SENT)]], False),
        ([[seen(Seen.UNKNOWN), seen(Seen.BOUNCED)], [seen(Seen.SENT)]], True),
        ([[seen(Seen.NOT_LEFT)], [seen(Seen.THROTTLED)], [seen(Seen.SENT)]], False),
    ],
)
def test_possibly_twice(attempts: list[list[Observation]], twice: bool) -> None:
    assert possibly_twice([fold(told) for told in attempts]) is twice


def step(told: list[Observation], channel: Channel, tried: Tried | None = None, now: datetime = T0):
    return next_step(fold(told), channel, tried or Tried(1), now, POLICY)


def test_planned_work_is_the_queues() -> None:
    assert next_step(DeliveryState(State.PLANNED), Channel.SMS, Tried(1), T0, POLICY) == Wait()


@pytest.mark.parametrize(
    ("told", "channel", "tried", "expected"),
    [
        ([seen(Seen.UNKNOWN)], Channel.MAIL, Tried(1, 1), ResendSameId(T0 + POLICY.mail_settle)),
        ([seen(Seen.UNKNOWN)], Channel.SMS, Tried(1, 1), Reconcile(T0 + POLICY.sms_settle)),
        ([seen(Seen.SENT)], Channel.MAIL, Tried(1), Done()),
        ([seen(Seen.SENT)], Channel.SMS, Tried(1), Reconcile(T0 + POLICY.receipt_wait)),
        ([seen(Seen.RECEIPT_DELIVERED)], Channel.SMS, Tried(1), Done()),
        ([seen(Seen.NOT_LEFT)], Channel.SMS, Tried(1), RetryAt(T0 + POLICY.retry_first)),
        ([seen(Seen.THROTTLED)], Channel.MAIL, Tried(2), RetryAt(T0 + 2 * POLICY.retry_first)),
        ([seen(Seen.THROTTLED)], Channel.MAIL, Tried(9), RetryAt(T0 + POLICY.retry_cap)),
        ([seen(Seen.BOUNCED, permanent=False)], Channel.MAIL, Tried(1), RetryAt(T0 + POLICY.retry_first)),
    ],
)
def test_next_step_table(told, channel, tried, expected) -> None:
    assert step(told, channel, tried) == expected


@pytest.mark.parametrize(
    "told",
    [
        [seen(Seen.REFUSED)],
        [seen(Seen.BOUNCED)],
        [seen(Seen.RECEIPT_DELIVERED), seen(Seen.BOUNCED)],
        [seen(Seen.RULED_NOT_ARRIVED)],
    ],
)
def test_a_mail_that_cannot_arrive_goes_to_paper_within_a_minute(told: list[Observation]) -> None:
    found = step(told, Channel.MAIL)
    assert isinstance(found, GoPaper)
    assert found.by - T0 <= timedelta(seconds=60)


@pytest.mark.parametrize("what", [Seen.REFUSED, Seen.RECEIPT_FAILED, Seen.RULED_NOT_ARRIVED])
def test_a_failed_sms_is_shown_and_opens_no_ladder(what: Seen) -> None:
    found = step([seen(what)], Channel.SMS)
    assert isinstance(found, Done)
    assert found.note


@pytest.mark.parametrize("channel", Channel)
def test_attempts_are_bounded_then_a_person(channel: Channel) -> None:
    assert isinstance(step([seen(Seen.NOT_LEFT)], channel, Tried(POLICY.max_attempts)), ToPerson)


def test_an_unknown_mail_is_sent_again_only_once() -> None:
    assert isinstance(step([seen(Seen.UNKNOWN)], Channel.MAIL, Tried(2, 2)), ToPerson)


def test_an_unknown_sms_that_queries_do_not_find_goes_to_a_person_and_is_never_resent() -> None:
    told = [seen(Seen.UNKNOWN)]
    for minute in range(1, POLICY.max_queries + 1):
        assert isinstance(step(told, Channel.SMS), Reconcile)
        told.append(seen(Seen.QUERY_NOT_FOUND, minute))
    assert isinstance(step(told, Channel.SMS), ToPerson)


def test_a_sent_sms_without_receipt_ends_shown() -> None:
    told = [seen(Seen.SENT), *(seen(Seen.QUERY_NOT_FOUND, m) for m in range(1, POLICY.max_queries + 1))]
    assert step(told, Channel.SMS) == Done("短信已发出，未收到送达回执。")


def test_an_intent_is_awaited_for_its_lease_and_then_unknown() -> None:
    assert step([seen(Seen.INTENT)], Channel.MAIL) == Wait(T0 + POLICY.lease)
    after = T0 + POLICY.lease
    assert step([seen(Seen.INTENT)], Channel.MAIL, now=after) == ResendSameId(after + POLICY.mail_settle)
    assert step([seen(Seen.INTENT)], Channel.SMS, now=after) == Reconcile(after + POLICY.sms_settle)


@given(observations, st.sampled_from(Channel), st.integers(1, 20), st.integers(0, 5))
def test_every_state_has_a_next_step(told, channel, attempts, unknown) -> None:
    found = step(told, channel, Tried(attempts, unknown))
    if channel is Channel.SMS:
        assert not isinstance(found, (GoPaper, ResendSameId))
