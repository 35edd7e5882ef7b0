"""Codes by the time (RFC 6238), each good once, and recovery codes."""

import base64
from datetime import UTC, datetime, timedelta

import pytest

from services.staff.domain.doors import DoorKind
from services.staff.domain.factor import (
    RECOVERY_CODES,
    STEP,
    accepted_step,
    code_at,
    grouped,
    is_required,
    link,
    new_recovery_codes,
    new_secret,
    plain,
    recovery_mark,
    step_of,
)
from shared.powers import FACTOR_WITHIN, POWERS, Action, Role

RFC = base64.b32encode(b"12345678901234567890").decode()
NOW = datetime(2026, 11, 30, 4, 0, 10, tzinfo=UTC)
HERE = step_of(NOW)


@pytest.mark.parametrize(
    ("seconds", "code"), [(59, "287082"), (1111111109, "081804"), (1234567890, "005924"), (20000000000, "353130")]
)
def test_codes_are_those_of_the_standard(seconds: int, code: str) -> None:
    """RFC 6238, appendix B (SHA-1), of which a telephone shows the last six digits."""
    assert code_at(RFC, step_of(datetime.fromtimestamp(seconds, UTC))) == code


@pytest.mark.parametrize(("around", "good"), [(-2, False), (-1, True), (0, True), (1, True), (2, False)])
def test_a_telephone_may_be_off_by_one_step(around: int, good: bool) -> None:
    found = accepted_step(RFC, code_at(RFC, HERE + around), NOW, 0)
    assert found == (HERE + around if good else None)


def test_a_step_is_accepted_once_and_no_older_one_after_it() -> None:
    assert accepted_step(RFC, code_at(RFC, HERE), NOW, HERE) is None
    assert accepted_step(RFC, code_at(RFC, HERE - 1), NOW, HERE) is None
    later = NOW + timedelta(seconds=STEP)
    assert accepted_step(RFC, code_at(RFC, HERE + 1), later, HERE) == HERE + 1


@pytest.mark.parametrize("typed", ["", "abc", "000000", "１２", "٠١٢٣٤٥", "0" * 40, "👩‍⚖️"])
def test_what_is_no_code_is_refused(typed: str) -> None:
    assert code_at(RFC, HERE) != "000000"
    assert accepted_step(RFC, typed, NOW, 0) is None


def test_spaces_hyphens_and_width_mean_nothing() -> None:
    code = code_at(RFC, HERE)
    wide = "".join(chr(ord(digit) + 0xFEE0) for digit in code)
    assert accepted_step(RFC, f" {wide[:3]} - {wide[3:]}", NOW, 0) == HERE
    assert plain("1234-5678 9012") == "123456789012"


def test_secrets_are_new_each_time_and_readable() -> None:
    one, other = new_secret(), new_secret()
    assert one != other
    assert len(base64.b32decode(one)) == 20
    assert grouped("ABCDEFGH") == "ABCD EFGH"
    assert f"secret={one}" in link(one, "duty")


def test_recovery_codes_are_many_and_kept_keyed() -> None:
    codes = new_recovery_codes()
    assert len(set(codes)) == RECOVERY_CODES
    assert all(len(plain(code)) == 12 and plain(code).isdigit() for code in codes)
    marks = {recovery_mark(secret, code) for secret in (RFC, new_secret()) for code in codes}
    assert len(marks) == 2 * RECOVERY_CODES
    assert recovery_mark(RFC, codes[0]) == recovery_mark(RFC, plain(codes[0]))


def test_whose_password_would_open_most_needs_a_second_factor() -> None:
    required = {role for role in Role if is_required([role])}
    assert required == {Role.PRESIDENT, Role.CHIEF, Role.ADMIN, Role.DUTY, Role.COMMAND, Role.INTEGRITY}
    assert is_required([Role.JUDGE, Role.DUTY])
    assert POWERS[Action.STAFF_MANAGE].roles | POWERS[Action.STAFF_REVIEW].roles <= required
    assert {role for action in FACTOR_WITHIN for role in POWERS[action].roles} <= required, "none is asked in vain"


def test_a_reset_is_shown_to_the_owner_and_looked_into() -> None:
    assert (DoorKind.FACTOR_RESET.is_shown, DoorKind.FACTOR_RESET.is_reviewed) == (True, True)
    assert all(kind.words for kind in DoorKind)
