from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.web import formats

NOON = datetime(2026, 11, 23, 6, 5, tzinfo=UTC)


def test_instants_are_written_in_shanghai() -> None:
    late_evening = datetime(2026, 11, 22, 16, 30, tzinfo=UTC)
    assert formats.cn_time(NOON) == "2026年11月23日（周一）14:05"
    assert formats.cn_date(late_evening) == "2026年11月23日（周一）"
    assert formats.cn_short(NOON, NOON) == "11月23日 14:05"


def test_another_year_is_named_where_space_is_short() -> None:
    new_year = datetime(2026, 12, 31, 16, tzinfo=UTC)
    assert formats.cn_short(new_year, NOON) == "2027年1月1日 00:00"
    assert formats.cn_short(new_year, new_year) == "1月1日 00:00"
    assert formats.cn_short(NOON, new_year) == "2026年11月23日 14:05"
    assert formats.cn_short(date(2025, 12, 31), NOON) == "2025年12月31日"


def test_plain_days_have_no_time() -> None:
    assert formats.cn_date(date(2026, 2, 1)) == "2026年2月1日（周日）"
    assert formats.cn_short(date(2026, 2, 1), NOON) == "2月1日"
    assert formats.iso(date(2026, 2, 1)) == "2026-02-01"


def test_iso_is_utc_with_milliseconds() -> None:
    assert formats.iso(NOON) == "2026-11-23T06:05:00.000Z"


@pytest.mark.parametrize(
    ("amount", "words", "short"),
    [
        ("1234567", "¥1,234,567.00", "123.46万元"),
        ("0", "¥0.00", "0.00万元"),
        ("0.005", "¥0.01", "0.00万元"),
        ("-88000.5", "-¥88,000.50", "-8.80万元"),
        ("123456789012.34", "¥123,456,789,012.34", "12,345,678.90万元"),
    ],
)
def test_amounts(amount: str, words: str, short: str) -> None:
    assert formats.money(Decimal(amount)) == words
    assert formats.wan(Decimal(amount)) == short


@pytest.mark.parametrize(
    ("number", "shown"),
    [
        ("19900000005", "199****0005"),
        ("+8619900000005", "199****0005"),
        ("023-67670001", "023****0001"),
        ("12368", "****"),
        ("", "****"),
    ],
)
def test_phones_are_masked(number: str, shown: str) -> None:
    assert formats.masked_phone(number) == shown


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("王明", "王*"),
        ("王小明", "王*明"),
        ("欧阳春燕", "欧**燕"),
        ("阿卜杜拉·买买提", "阿**提"),
        ("重庆江北建设工程有限公司", "重庆江北…"),
        ("红星商店", "红星…"),
        (" 王明 ", "王*"),
    ],
)
def test_names_are_masked(name: str, shown: str) -> None:
    assert formats.masked_name(name) == shown


@given(st.text(alphabet="0123456789X", min_size=0, max_size=20))
def test_a_masked_id_never_shows_the_six_characters_that_open_the_party_page(number: str) -> None:
    shown = formats.masked_id(number)
    assert len(shown) == len(number)
    assert "*" in shown[-6:] or not number


def test_a_masked_id_can_still_be_told_apart() -> None:
    assert formats.masked_id("500103199001011234") == "5001************34"


@pytest.mark.parametrize(
    ("left", "words"),
    [
        (timedelta(days=2, hours=3, minutes=59), "还剩 2 天 3 小时"),
        (timedelta(days=2), "还剩 2 天"),
        (timedelta(hours=5, minutes=1), "还剩 5 小时 1 分钟"),
        (timedelta(minutes=12, seconds=40), "还剩 12 分钟"),
        (timedelta(seconds=59), "还剩不到 1 分钟"),
        (timedelta(0), "还剩不到 1 分钟"),
        (timedelta(seconds=-1), "刚刚超期"),
        (timedelta(hours=-5), "已超期 5 小时"),
        (timedelta(days=-1, hours=-2), "已超期 1 天 2 小时"),
        (timedelta(days=1, minutes=7), "还剩 1 天"),
    ],
)
def test_what_remains(left: timedelta, words: str) -> None:
    assert formats.remaining(left) == words


@pytest.mark.parametrize(
    ("size", "words"), [(0, "0 B"), (1023, "1023 B"), (1024, "1.0 KB"), (14541, "14.2 KB"), (1258291, "1.2 MB")]
)
def test_file_sizes(size: int, words: str) -> None:
    assert formats.file_size(size) == words


def test_a_day_ends_at_midnight_in_shanghai() -> None:
    due = date(2026, 11, 23)
    assert formats.due_instant(due) == datetime(2026, 11, 23, 15, 59, 59, tzinfo=UTC)
    assert formats.until(due, NOON) == timedelta(hours=9, minutes=54, seconds=59)


def test_urgency() -> None:
    assert formats.urgency(NOON - timedelta(seconds=1), NOON) == "late"
    assert formats.urgency(NOON, NOON) == "soon"
    assert formats.urgency(NOON + timedelta(days=7), NOON) == "soon"
    assert formats.urgency(NOON + timedelta(days=7, seconds=1), NOON) == "ok"
    assert formats.urgency(NOON + timedelta(hours=3), NOON, timedelta(hours=2)) == "ok"


def test_elapsed_share_stays_between_nothing_and_all() -> None:
    start, due = date(2026, 11, 21), date(2026, 11, 25)
    assert formats.elapsed_share(start, due, NOON - timedelta(days=30)) == 0
    assert formats.elapsed_share(start, due, NOON + timedelta(days=30)) == 1
    assert 0.3 < formats.elapsed_share(start, due, NOON) < 0.5
    assert formats.elapsed_share(due, start, NOON) == 1


def test_the_share_of_a_span_without_an_end_grows_and_is_never_all() -> None:
    start = date(2026, 11, 23)
    shares = [formats.elapsed_share(start, None, NOON + timedelta(days=days)) for days in (0, 31, 365)]
    assert shares == sorted(shares)
    assert shares[0] == 0
    assert 0.45 < shares[1] < 0.55
    assert shares[2] < 1
