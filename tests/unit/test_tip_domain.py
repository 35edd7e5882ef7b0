"""What a tip is to its sender, and which case it may name."""

from datetime import UTC, datetime
from itertools import combinations

import pytest

from services.asset_tips.domain import (
    GROUND_WORDS,
    STATE_WORDS,
    Moments,
    TipState,
    case_number,
)
from shared.contracts.tips import TipGround

NOON = datetime(2026, 11, 23, 4, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("typed", "number"),
    [
        ("（2026）渝05执5001号", "（2026）渝05执5001号"),
        (" (2026) 渝05执恢12号", "（2026）渝05执恢12号"),
        ("〔2026〕渝０５执５００１号", "（2026）渝05执5001号"),
        ("(2009)渝五中法执字第1号", "（2009）渝五中法执字第1号"),
        ("（2026）渝0103民初88号", "（2026）渝0103民初88号"),
    ],
)
def test_a_case_number_is_understood(typed: str, number: str) -> None:
    assert case_number(typed) == number


@pytest.mark.parametrize(
    "typed",
    ["不知道", "5001", "张三欠钱的案子", "（2026）渝05执13800138000号", "13800138000", "（2026）渝05执5001号 张三", ""],
)
def test_nothing_personal_passes_for_a_case_number(typed: str) -> None:
    assert case_number(typed) is None


def test_the_state_is_the_furthest_moment() -> None:
    names = ["taken_at", "accepted_at", "dismissed_at", "acted_at"]
    order = {"taken_at": TipState.TAKEN, "accepted_at": TipState.ACCEPTED}
    order |= {"dismissed_at": TipState.DISMISSED, "acted_at": TipState.ACTED}
    for size in range(5):
        for reached in combinations(names, size):
            moments = Moments(**{name: NOON if name in reached else None for name in names})
            assert moments.state == (order[reached[-1]] if reached else TipState.RECEIVED)


def test_every_state_and_ground_has_words() -> None:
    assert set(STATE_WORDS) == set(TipState)
    assert set(GROUND_WORDS) == set(TipGround)
