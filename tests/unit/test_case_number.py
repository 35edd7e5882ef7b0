from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.contracts.case_number import Parts, parts, reference, spellings, written

TYPED = [
    "（2026）渝05执5001号",
    "(2026)渝05执5001号",
    " （2026） 渝05执5001号 ",
    "〔2026〕渝05执５００１号",
    "【2026】渝０５执5001号",
]


@pytest.mark.parametrize("typed", TYPED)
def test_a_case_number_is_found_however_it_is_typed(typed: str) -> None:
    assert spellings(typed) == ("（2026）渝05执5001号", "(2026)渝05执5001号")
    assert parts(typed) == Parts("2026", "渝05执", "5001")
    assert reference(typed) == "（2026）渝05执5001号"


@pytest.mark.parametrize(
    ("typed", "taken_apart"),
    [
        ("(2009)渝五中法执字第1号", Parts("2009", "渝五中法执字第", "1")),
        ("（2026）渝05执恢12号", Parts("2026", "渝05执恢", "12")),
        ("（2026）渝0103民初88号", Parts("2026", "渝0103民初", "88")),
        ("（2026）渝05执13800138000号", None),
        ("（2026）渝05执号", None),
        ("5001", None),
        ("", None),
    ],
)
def test_a_case_number_is_taken_apart(typed: str, taken_apart: Parts | None) -> None:
    assert parts(typed) == taken_apart


def test_an_id_is_an_id() -> None:
    text = "00000000-0000-7000-8000-000000000001"
    assert reference(f" {text} ") == UUID(text)


@given(st.text("（）()[]【】 \u3000渝五执字第号0５", max_size=40))
def test_writing_twice_changes_nothing(text: str) -> None:
    assert written(written(text)) == written(text)
    assert not any(map(str.isspace, written(text)))
