"""How dates, amounts, people and periods are written for people. Pure functions; instants show in Asia/Shanghai."""

from datetime import UTC, date, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal

from shared.clock import SHANGHAI, court_date, end_of_day

_WEEKDAYS = "一二三四五六日"
_CENT = Decimal("0.01")
_COMPANY_MARKS = ("公司", "厂", "店", "行", "社", "局", "院", "中心", "合伙", "集团", "委员会", "部", "所")


def _day(moment: date) -> date:
    return court_date(moment) if isinstance(moment, datetime) else moment


def cn_date(moment: date) -> str:
    """A day, or an instant's day in Shanghai: 2026年11月23日（周一）."""
    day = _day(moment)
    return f"{day.year}年{day.month}月{day.day}日（周{_WEEKDAYS[day.weekday()]}）"


def cn_time(instant: datetime) -> str:
    """An instant to the minute: 2026年11月23日（周一）14:05."""
    return f"{cn_date(instant)}{instant.astimezone(SHANGHAI):%H:%M}"


def cn_short(moment: date, now: datetime) -> str:
    """Where space is short: 11月23日 14:05; a plain day: 11月23日. With its year when that is not `now`'s."""
    day = _day(moment)
    year = "" if day.year == court_date(now).year else f"{day.year}年"
    words = f"{year}{day.month}月{day.day}日"
    return f"{words} {moment.astimezone(SHANGHAI):%H:%M}" if isinstance(moment, datetime) else words


def iso(moment: date) -> str:
    """For `datetime` attributes and scripts: instants in UTC with milliseconds, days as they are."""
    if not isinstance(moment, datetime):
        return moment.isoformat()
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def money(amount: Decimal) -> str:
    """CNY with two places: ¥1,234,567.00."""
    rounded = amount.quantize(_CENT, ROUND_HALF_UP)
    return f"{'-' if rounded < 0 else ''}¥{abs(rounded):,}"


def wan(amount: Decimal) -> str:
    """CNY in ten thousands, where space is short: 123.46万元."""
    return f"{(amount / 10000).quantize(_CENT, ROUND_HALF_UP):,}万元"


def masked_phone(number: str) -> str:
    """199****0005; what is too short to mask is hidden whole."""
    digits = "".join(filter(str.isdigit, number))
    if len(digits) == 13 and digits.startswith("86"):
        digits = digits[2:]
    return f"{digits[:3]}****{digits[-4:]}" if len(digits) >= 9 else "*" * 4


def masked_name(name: str) -> str:
    """王*, 王*明; an organisation: its first four characters and an ellipsis."""
    name = name.strip()
    if _is_organisation(name):
        return f"{name[:4] if len(name) > 4 else name[:2]}…"
    if len(name) < 3:
        return f"{name[:1]}*"
    return f"{name[0]}{'*' * min(len(name) - 2, 2)}{name[-1]}"


def _is_organisation(name: str) -> bool:
    return "·" not in name and (len(name) > 4 or (len(name) == 4 and name.endswith(_COMPANY_MARKS)))


def masked_id(number: str) -> str:
    """5001************1X → 5001************34: never the last six together, they open the party's page."""
    number = number.strip()
    return f"{number[:4]}{'*' * (len(number) - 6)}{number[-2:]}" if len(number) > 8 else "*" * len(number)


def remaining(delta: timedelta) -> str:
    """The two largest units that are left: 还剩 2 天 3 小时; past zero: 已超期 5 小时."""
    late = delta < timedelta(0)
    minutes = int(abs(delta).total_seconds()) // 60
    words = f"{'已超期' if late else '还剩'} {_span(minutes)}"
    return words if minutes else ("刚刚超期" if late else "还剩不到 1 分钟")


def _span(minutes: int) -> str:
    days, rest = divmod(minutes, 1440)
    parts = [(days, "天"), (rest // 60, "小时"), (rest % 60, "分钟")]
    first = next((index for index, (count, _) in enumerate(parts) if count), 2)
    return " ".join(f"{count} {unit}" for count, unit in parts[first : first + 2] if count)


def file_size(size: int) -> str:
    """Bytes for people: 812 B, 14.2 KB, 1.2 MB."""
    if size < 1024:
        return f"{size} B"
    return f"{size / 1024:.1f} KB" if size < 1024 * 1024 else f"{size / 1024 / 1024:.1f} MB"


def due_instant(due: date) -> datetime:
    """When a deadline runs out: an instant as it is, a day with its last second in Shanghai."""
    return due if isinstance(due, datetime) else end_of_day(due)


def until(due: date, now: datetime) -> timedelta:
    """What is left of a deadline; negative when it is past."""
    return due_instant(due) - now


def urgency(due: date, now: datetime, soon: timedelta = timedelta(days=7)) -> str:
    """`late`, `soon` or `ok`: the state that colours a deadline."""
    left = until(due, now)
    if left < timedelta(0):
        return "late"
    return "soon" if left <= soon else "ok"


def elapsed_share(start: date, due: date | None, now: datetime) -> float:
    """How much of a span of days has passed, between 0 and 1; without an end, half after 30 days and never all."""
    begun = due_instant(start)
    if due is None:
        days = max(0.0, (now - begun) / timedelta(days=1))
        return days / (days + 30)
    ends = due_instant(due)
    if ends <= begun:
        return 1.0
    return min(1.0, max(0.0, (now - begun) / (ends - begun)))
