"""What a member may commit, and what both logs refuse before sending."""

import pytest

from shared.bus.log import BusError, BusFencedError, Delivered, Place, Record
from shared.bus.screening import MAX_RECORD_BYTES, screen
from shared.bus.tenure import Tenure

PLACE = Place("cases", 0)


def _handed(*offsets: int) -> Tenure:
    tenure = Tenure()
    tenure.hand_out(Delivered(PLACE, offset, b"", b"") for offset in offsets)
    return tenure


@pytest.mark.parametrize("offset", [10, 11, 12])
def test_what_was_handed_out_may_be_committed(offset: int) -> None:
    _handed(10, 11).check({PLACE: offset})


@pytest.mark.parametrize(("place", "offset"), [(PLACE, 9), (PLACE, 13), (Place("cases", 1), 10)])
def test_anything_else_is_fenced(place: Place, offset: int) -> None:
    with pytest.raises(BusFencedError, match=f"cases/{place.partition}"):
        _handed(10, 11).check({place: offset})


def test_a_new_hold_knows_nothing_of_the_old_one() -> None:
    tenure = _handed(10, 11)
    tenure.lose([PLACE])
    with pytest.raises(BusFencedError):
        tenure.check({PLACE: 11})


def test_settled_means_that_all_was_committed() -> None:
    tenure = _handed(10, 11)
    assert not tenure.is_settled()
    tenure.committed({PLACE: 11})
    assert not tenure.is_settled()
    tenure.committed({PLACE: 12})
    assert tenure.is_settled()
    assert tenure.is_idle(Place("cases", 9))


def _faults(*records: Record) -> list[bool]:
    return [isinstance(fault, BusError) for fault in screen(records, {"cases", "desk"})]


def test_a_fault_holds_back_its_key_in_its_topic_only() -> None:
    lone_surrogate = Record("cases", "a", b"", {"name": "\ud800"})
    assert _faults(Record("cases", "a", b""), lone_surrogate, Record("cases", "a", b""), Record("desk", "a", b"")) == [
        False,
        True,
        True,
        False,
    ]


def test_the_size_counts_key_headers_and_value() -> None:
    value = bytes(MAX_RECORD_BYTES - 6)
    assert _faults(Record("cases", "键", value, {"k": "vv"}), Record("cases", "b", value + b"1234567")) == [False, True]


def test_an_unknown_topic_and_a_key_that_is_no_text_are_refused() -> None:
    assert _faults(Record("nowhere", "a", b""), Record("cases", "\ud800", b"")) == [True, True]
