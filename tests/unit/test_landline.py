import pytest

from shared.contracts.landline import LONGEST, is_landline


@pytest.mark.parametrize(
    ("text", "is_one"),
    [
        ("023-12345678", True),
        ("0755-12345678", True),
        ("010-1234567", True),
        ("023-12345678-801", False),
        ("02312345678", False),
        ("13800138000", False),
        ("12368", False),
        (" 023-12345678", False),
        ("０２３-12345678", False),
        ("", False),
    ],
)
def test_one_rule_for_landlines(text: str, is_one: bool) -> None:
    assert is_landline(text) is is_one
    assert not is_one or len(text) <= LONGEST
