"""Which case numbers lie so far beyond their series that they are taken for a slip of the hand."""

import pytest

from services.case_intake.domain.numbers import FAR, CaseNumber, far_numbers
from shared.errors import Conflict

COURT = "渝05"


def numbers(*serials: int, kind: str = "执") -> list[CaseNumber]:
    return [CaseNumber.parse(f"（2026）{COURT}{kind}{serial}号", COURT) for serial in serials]


@pytest.mark.parametrize(
    ("last", "serials", "far"),
    [
        (0, [FAR], []),
        (0, [FAR + 1], [FAR + 1]),
        (5200, [5201, 99999999], [99999999]),
        (5200, [5200 + 2 * FAR, 5200 + FAR], []),
        (0, [99999999, 99999998], [99999998, 99999999]),
    ],
)
def test_a_serial_is_far_unless_others_lead_up_to_it(last: int, serials: list[int], far: list[int]) -> None:
    found = far_numbers(numbers(*serials), {("执", 2026): last})
    assert found == {number.text for number in numbers(*far)}


def test_each_series_is_counted_on_its_own_and_the_older_form_in_none() -> None:
    both = [*numbers(FAR), *numbers(FAR + 1, kind="执恢"), CaseNumber.parse("(2009)渝五中法执字第99999999号", COURT)]
    assert far_numbers(both, {}) == {both[1].text}


@pytest.mark.parametrize("serial", [0, 100_000_000])
def test_no_number_is_given_out_that_cannot_be_read_back(serial: int) -> None:
    with pytest.raises(Conflict):
        CaseNumber.of(2026, COURT, serial)
    largest = CaseNumber.of(2026, COURT, 99_999_999)
    assert CaseNumber.parse(largest.text, COURT) == largest


def test_what_stands_on_record_is_shown_as_it_stands() -> None:
    assert CaseNumber.on_record("（2026）渝05执100000000号", COURT).text == "（2026）渝05执100000000号"
    assert CaseNumber.on_record("（2026）渝05执7号", COURT).serial == 7
