"""What a tip is to its sender, which case it may name, and how much one source may send."""

from datetime import UTC, datetime
from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.asset_tips.domain import (
    GROUND_WORDS,
    STATE_WORDS,
    Moments,
    SourceLimit,
    TipState,
    case_number,
    source_of,
)
from shared.contracts.tips import TipGround

NOON = datetime(2026, 11, 23, 4, 0, tzinfo=UTC)
ACTS = st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 40)), max_size=60)
"""Who acts, and how many seconds after the act before."""


def outcomes(acts: list[tuple[str, int]], most: int, seconds: int) -> list[tuple[str, int, float]]:
    limit, now, found = SourceLimit(most, seconds), 0, []
    for source, after in acts:
        now += after
        found.append((source, now, limit.wait(source, now)))
    return found


@given(ACTS, st.integers(1, 5), st.integers(1, 60))
def test_no_window_ever_holds_more_than_the_limit(acts: list[tuple[str, int]], most: int, seconds: int) -> None:
    for who in "abc":
        passed = [now for source, now, wait in outcomes(acts, most, seconds) if source == who and wait == 0]
        for first, beyond in zip(passed, passed[most:], strict=False):
            assert beyond - first >= seconds


@given(ACTS, st.integers(1, 5), st.integers(1, 60))
def test_a_source_never_feels_another(acts: list[tuple[str, int]], most: int, seconds: int) -> None:
    found = outcomes(acts, most, seconds)
    for who in "abc":
        limit = SourceLimit(most, seconds)
        for source, now, wait in found:
            if source == who:
                assert limit.wait(who, now) == wait


@given(ACTS, st.integers(1, 5), st.integers(1, 60))
def test_whoever_waits_as_told_passes(acts: list[tuple[str, int]], most: int, seconds: int) -> None:
    limit, now = SourceLimit(most, seconds), 0.0
    for source, after in acts:
        now += after
        wait = limit.wait(source, now)
        assert 0 <= wait <= seconds
        if wait > 0:
            now += wait
            assert limit.wait(source, now) == 0


@given(st.integers(1, 20), st.lists(st.text(max_size=3), max_size=80))
def test_a_flood_of_sources_fills_no_memory(sources: int, names: list[str]) -> None:
    limit = SourceLimit(2, 10, sources)
    for now, name in enumerate(names):
        limit.wait(name, now)
    assert len(limit._seen) <= sources


@pytest.mark.parametrize(
    ("host", "source"),
    [
        ("203.0.113.7", "203.0.113.7"),
        ("2001:db8:1:2::1", "2001:db8:1:2::/64"),
        ("2001:db8:1:2:ffff::9", "2001:db8:1:2::/64"),
        ("2001:db8:1:3::1", "2001:db8:1:3::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("::ffff:203.0.113.7", "203.0.113.7"),
        ("testclient", "testclient"),
        ("", ""),
    ],
)
def test_a_household_is_one_source(host: str, source: str) -> None:
    assert source_of(host) == source


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
