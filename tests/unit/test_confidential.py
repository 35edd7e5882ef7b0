import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.contracts.confidential import telling


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("接到举报后查封房产一处", "举报"),
        ("根据线 索已冻结存款", "线索"),
        ("接举\u200b报后已冻结", "举报"),
        ("根据群众反映，已查封。", "群众反映"),
        ("据悬赏获知", "悬赏"),
        ("接来电后到场", "来电"),
        ("值班人员已到场", "值班"),
        ("A TIP was checked", "TIP"),
        ("ｔｉｐ", "tip"),
        ("已依法冻结被执行人银行存款", None),
        ("multiple steps, a tipsy man", None),
        ("", None),
    ],
)
def test_words_that_give_a_tip_away(text: str, word: str | None) -> None:
    assert telling(text) == word


@given(st.text(max_size=30), st.text(max_size=30))
def test_no_text_around_it_hides_a_telling_word(before: str, after: str) -> None:
    assert telling(f"{before}举报{after}") is not None
