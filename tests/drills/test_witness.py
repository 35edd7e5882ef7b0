"""The drills' own arithmetic: it must be able to see a loss."""

from collections import Counter

import pytest

from tests.drills.witness import Account, Address, whole_file

ANNE: Address = ("mail", "u1@example.com")
BETTY: Address = ("mail", "u2@example.com")


def test_one_unknown_mail_excuses_its_own_loss_and_no_neighbours() -> None:
    found = Account(Counter([ANNE, BETTY]), Counter(), unknown=Counter([ANNE]))
    assert found.lost_in_silence() == Counter([BETTY])
    with pytest.raises(AssertionError, match="lost in silence"):
        found.check(9)


def test_a_message_possibly_twice_excuses_one_copy_of_its_own() -> None:
    found = Account(Counter([ANNE, BETTY]), Counter([ANNE, ANNE, ANNE, BETTY, BETTY]), twice=Counter([ANNE]))
    assert found.doubled_in_silence() == Counter([ANNE, BETTY])
    with pytest.raises(AssertionError, match="twice in silence"):
        found.check(9)


def test_what_was_never_due_counts_as_doubled() -> None:
    found = Account(Counter([ANNE]), Counter([ANNE, BETTY]))
    with pytest.raises(AssertionError, match="never due"):
        found.check()


def test_more_in_doubt_than_was_in_flight_is_refused() -> None:
    found = Account(Counter([ANNE, BETTY]), Counter(), unknown=Counter([ANNE, BETTY]))
    found.check(2)
    with pytest.raises(AssertionError):
        found.check(1)


def test_the_parts_of_the_file_owe_what_the_whole_owes() -> None:
    whole = whole_file()
    first, second, third = whole.cut(3)
    assert first.due + second.due + third.due == whole.due
    assert not first.due & second.due
    assert (
        sum(len(one.content.splitlines()) - 1 for one in (first, second, third)) == len(whole.content.splitlines()) - 1
    )
