"""The desk's rules: which act is due when, how long the clocks run, and what no party may be told."""

from datetime import UTC, datetime, timedelta
from itertools import product

import pytest

from services.duty_desk.domain import (
    GROUND_WORDS,
    PROGRESS,
    Moments,
    Source,
    check_accept,
    check_act,
    check_dismiss,
    check_progress,
    check_take,
)
from services.duty_desk.settings import DeskSettings
from shared.contracts.tips import TipGround
from shared.errors import Conflict, Invalid

NOON = datetime(2026, 11, 23, 4, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
PATIENCE = DeskSettings().patience(triage_minutes=30)
CHECKS = {"take": check_take, "accept": check_accept, "act": check_act, "dismiss": check_dismiss}


def allowed(moments: Moments) -> set[str]:
    found = set()
    for name, check in CHECKS.items():
        try:
            check(moments)
        except Conflict:
            continue
        else:
            found.add(name)
    return found


@pytest.mark.parametrize(
    ("source", "taken", "accepted", "closed", "acts"),
    [
        (Source.TIP, False, False, False, {"take"}),
        (Source.TIP, True, False, False, {"accept", "dismiss"}),
        (Source.TIP, True, True, False, {"act"}),
        (Source.TROUBLE, False, False, False, {"take"}),
        (Source.TROUBLE, True, False, False, {"act"}),
        (Source.TIP, True, True, True, set()),
        (Source.TIP, True, False, True, set()),
        (Source.TROUBLE, True, False, True, set()),
    ],
)
def test_each_moment_allows_only_the_next_act(
    source: Source, taken: bool, accepted: bool, closed: bool, acts: set[str]
) -> None:
    at = {True: NOON, False: None}
    assert allowed(Moments(source, at[taken], at[accepted], at[closed])) == acts


def test_nothing_can_be_done_to_what_is_closed() -> None:
    for source, taken, accepted in product(Source, (NOON, None), (NOON, None)):
        assert allowed(Moments(source, taken, accepted, NOON)) == set()


@pytest.mark.parametrize(
    ("ground", "triage", "check", "deed"),
    [
        (TipGround.PROPERTY, HOUR / 2, timedelta(days=7), 24 * HOUR),
        (TipGround.WHEREABOUTS, HOUR / 2, timedelta(days=7), 2 * HOUR),
        (TipGround.NEW_PROPERTY, HOUR / 2, timedelta(days=7), 24 * HOUR),
        (TipGround.URGENT, HOUR / 12, 3 * HOUR + HOUR / 2, HOUR / 2),
    ],
)
def test_the_clocks_of_rows_26_to_29(ground: TipGround, triage: timedelta, check: timedelta, deed: timedelta) -> None:
    taken = NOON + 3 * HOUR
    assert PATIENCE.triage_due(ground, NOON) == NOON + triage
    assert PATIENCE.check_due(ground, NOON, taken) == NOON + check
    assert PATIENCE.deed_due(ground, taken) == taken + deed


def test_a_trouble_that_was_taken_has_a_limit_of_its_own() -> None:
    assert PATIENCE.check_due(None, NOON, NOON + HOUR) == NOON + 25 * HOUR


def test_every_ground_has_words_and_a_clock() -> None:
    assert set(GROUND_WORDS) == set(TipGround) == set(PATIENCE.deed)


@pytest.mark.parametrize(
    "text",
    [
        "根据群众举报已查封房产。",
        "接到线 索后已前往。",
        "经知情人指认，已扣押车辆。",
        "根据匿名来信核实。",
        "According to a Tip, sealed.",
        "值班人员已到现场。",
    ],
)
def test_what_would_give_a_tip_away_is_refused(text: str) -> None:
    with pytest.raises(Invalid) as caught:
        check_progress(text)
    assert [fault.field for fault in caught.value.faults] == ["progress"]


@pytest.mark.parametrize("text", [PROGRESS, "本院已依法查封被执行人名下房产一处。", "tipsy 不算", None, ""])
def test_what_gives_nothing_away_passes(text: str | None) -> None:
    check_progress(text)
