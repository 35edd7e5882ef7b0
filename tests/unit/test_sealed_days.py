"""Sealed days: what was replaced, left out, signed by others or moved is named with its day."""

import hashlib
from dataclasses import replace
from datetime import date, timedelta

import pytest

from shared.crypto.signing import SigningKey
from shared.ledger.chain import Head
from shared.ledger.days import NOTHING, BrokenDay, DayBreak, SealedDay, heads_digest, verify_days, verify_links

FIRST = date(2026, 11, 23)
KEY = SigningKey.generate()
HEADS = [Head("b", 4, "22"), Head("a", 12, "11")]


def sealed(key: SigningKey = KEY, heads: list[Head] = HEADS) -> list[SealedDay]:
    """Three days; only on the second did anything happen."""
    days: list[SealedDay] = []
    for number, moved in enumerate(([], heads, [])):
        previous = days[-1].digest if days else NOTHING
        days.append(SealedDay.seal(key, "本院", FIRST + timedelta(days=number), previous, len(moved), moved))
    return days


LINES = {FIRST + timedelta(days=1): heads_digest(HEADS)}


def test_the_digest_of_heads_is_as_documented() -> None:
    assert heads_digest(HEADS) == hashlib.sha256(b"a 12 11\nb 4 22\n").hexdigest()
    assert heads_digest([]) == NOTHING
    assert heads_digest(HEADS) == heads_digest(HEADS[::-1]) != heads_digest(HEADS[:1])


def test_days_that_nobody_touched_hold() -> None:
    assert verify_days(sealed(), LINES, KEY.keys) is None
    assert verify_days([], {}, KEY.keys) is None


def test_former_keys_go_on_verifying() -> None:
    newer = SigningKey.from_pem(SigningKey.generate().to_pem() + KEY.to_pem())
    assert verify_days(sealed(), LINES, newer.keys) is None


def broken(number: int, why: DayBreak) -> BrokenDay:
    return BrokenDay(FIRST + timedelta(days=number), why)


def test_what_was_done_to_days_is_named() -> None:
    days = sealed()
    foreign = SigningKey.generate()
    altered = replace(days[1], text=days[1].text.replace("本院", "他院"))
    resigned = SealedDay.seal(KEY, "本院", days[1].day, days[0].digest, 1, HEADS[:1])
    assert verify_links(sealed(foreign), KEY.keys) == broken(0, DayBreak.FOREIGN)
    assert verify_links([days[0], altered, days[2]], KEY.keys) == broken(1, DayBreak.FOREIGN)
    assert verify_links([days[0], resigned, days[2]], KEY.keys) == broken(2, DayBreak.UNLINKED)
    assert verify_links([days[0], days[2]], KEY.keys) == broken(2, DayBreak.GAP)
    assert verify_links([replace(days[0], day=FIRST - timedelta(days=1))], KEY.keys) == broken(-1, DayBreak.OTHER)
    assert verify_links([replace(days[0], text="[]")], None) == broken(0, DayBreak.OTHER)
    assert verify_links([replace(days[0], signature="%")], KEY.keys) == broken(0, DayBreak.FOREIGN)


@pytest.mark.parametrize(
    ("lines", "number"),
    [
        ({}, 1),
        ({FIRST + timedelta(days=1): heads_digest(HEADS[:1])}, 1),
        ({**LINES, FIRST: heads_digest(HEADS)}, 0),
        ({**LINES, FIRST + timedelta(days=9): heads_digest(HEADS)}, 9),
    ],
)
def test_lines_that_were_not_signed_are_named(lines: dict[date, str], number: int) -> None:
    assert verify_days(sealed(), lines, KEY.keys) == broken(number, DayBreak.HEADS)
