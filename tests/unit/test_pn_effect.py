"""Which channel served, on which day, or why not yet."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.party_notification.domain.effect import Event, Evidence, NotServed, Served, ServedBy, legal_effect

CONFIRMED = date(2026, 6, 9)
D16, D17, D18, D20 = (date(2026, 6, day) for day in (16, 17, 18, 20))
MAIL = Evidence(Event.MAIL_ACCEPTED, D16, "d1")
BOUNCE = Evidence(Event.MAIL_BOUNCED, D17, "d1")
READ = Evidence(Event.DOCUMENT_READ, D18)
PAPER = Evidence(Event.PAPER_DELIVERED, D20)
SMS = Evidence(Event.SMS_DELIVERED, D16)


@pytest.mark.parametrize(
    ("consents", "confirmed", "evidence", "by", "on"),
    [
        (True, CONFIRMED, [MAIL], ServedBy.MAIL, D16),
        (True, CONFIRMED, [MAIL, READ, PAPER], ServedBy.MAIL, D16),
        (True, CONFIRMED, [MAIL, BOUNCE, PAPER], ServedBy.PAPER, D20),
        (True, CONFIRMED, [MAIL, BOUNCE, Evidence(Event.MAIL_ACCEPTED, D18, "d2")], ServedBy.MAIL, D18),
        (True, None, [MAIL, READ], ServedBy.READING, D18),
        (True, None, [PAPER, READ], ServedBy.READING, D18),
        (True, D17, [MAIL, READ], ServedBy.READING, D18),
        (False, CONFIRMED, [MAIL, READ, PAPER], ServedBy.PAPER, D20),
    ],
)
def test_served(consents, confirmed, evidence, by, on) -> None:
    effect = legal_effect(consents=consents, address_confirmed_on=confirmed, evidence=evidence)
    assert isinstance(effect, Served)
    assert (effect.by, effect.on) == (by, on)
    assert "条" in effect.because


@pytest.mark.parametrize(
    ("consents", "confirmed", "evidence", "why"),
    [
        (True, CONFIRMED, [], "尚无任何送达记录"),
        (True, CONFIRMED, [SMS], "短信只起提示作用"),
        (True, CONFIRMED, [MAIL, BOUNCE, SMS], "退回"),
        (True, None, [MAIL, SMS], "未经确认"),
        (False, CONFIRMED, [MAIL, READ, SMS], "未同意电子送达"),
    ],
)
def test_not_served(consents, confirmed, evidence, why) -> None:
    effect = legal_effect(consents=consents, address_confirmed_on=confirmed, evidence=evidence)
    assert isinstance(effect, NotServed)
    assert why in effect.because


days = st.dates(date(2026, 6, 1), date(2026, 6, 30))
evidence = st.lists(st.builds(Evidence, st.sampled_from(Event), days, st.sampled_from(["", "d1", "d2"])), max_size=8)


@given(st.booleans(), st.none() | days, evidence, st.randoms(use_true_random=False))
def test_order_and_repetition_change_nothing(consents, confirmed, told, random) -> None:
    again = told + told[:2]
    random.shuffle(again)
    first, second = (legal_effect(consents=consents, address_confirmed_on=confirmed, evidence=e) for e in (told, again))
    assert first == second


@given(st.booleans(), st.none() | days, evidence, days)
def test_an_sms_never_serves(consents, confirmed, told, day) -> None:
    told = [e for e in told if e.event is not Event.SMS_DELIVERED]
    with_sms = [*told, Evidence(Event.SMS_DELIVERED, day)]
    before, after = (
        legal_effect(consents=consents, address_confirmed_on=confirmed, evidence=e) for e in (told, with_sms)
    )
    if isinstance(before, Served):
        assert after == before
    else:
        assert isinstance(after, NotServed)


@pytest.mark.parametrize("by", ServedBy)
def test_channels_have_chinese_labels(by: ServedBy) -> None:
    assert not by.label.isascii()
