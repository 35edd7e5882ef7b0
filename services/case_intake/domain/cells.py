"""Cells as a spreadsheet hands them over, read as what was typed; what it has spoilt beyond repair is named."""

import re
from collections.abc import Sequence
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum


class Lost(Enum):
    """A cell whose content the file does not hold; the value is what is said of it."""

    FAILED = "单元格是公式错误，读不出内容。请改为实际内容；没有内容的，请清空。"
    UNSOLVED = "单元格是公式，文件里没有保存计算结果。请在表格软件中打开并重新保存，或改为实际内容后重新上传。"
    MERGED = "单元格与左侧合并，读不出本列的内容。请取消合并，逐格填写。"


Value = str | int | float | bool | date | datetime | time | timedelta | Lost
"""A cell; empty ones are empty texts."""

_DAYS = {"filed_on", "received_on", "secured_on", "address_confirmed_on"}
_NUMBERS = {"id_number", "phone", "guardian_phone", "agent_phone"}
_EXACT_DIGITS = 15
"""Spreadsheets keep numbers to 15 digits."""
_EPOCHS = {False: date(1899, 12, 30), True: date(1904, 1, 1)}
_FIRST_DAY, _LAST_DAY = date(1990, 1, 1), date(2099, 12, 31)
_SCIENTIFIC = re.compile(r"\d(\.\d+)?[Ee]\+?\d{1,2}", re.ASCII)
ERRORS = frozenset({"#N/A", "#REF!", "#VALUE!", "#NAME?", "#DIV/0!", "#NULL!", "#NUM!"})

ROUNDED = "表格软件把号码当作数字，只保留了前15位，其余已变为0。请把这一列设为“文本”格式，重新填写完整号码。"
SCIENTIFIC = "号码被表格软件改成了科学记数。请把这一列设为“文本”格式，重新填写完整号码。"


def read(field: str, value: Value, *, since_1904: bool = False) -> tuple[str, str | None]:
    """The cell's text, and why it cannot be used: None when it can be judged as it stands."""
    if isinstance(value, Lost):
        return "", value.value
    if isinstance(value, str):
        text = value.strip()
        return text, _spoilt_text(field, text)
    text = _typed(field, value, _EPOCHS[since_1904])
    rounded = field in _NUMBERS and isinstance(value, float) and len(text.lstrip("-")) > _EXACT_DIGITS
    return text, ROUNDED if rounded else None


def _spoilt_text(field: str, text: str) -> str | None:
    if text in ERRORS:
        return str(Lost.FAILED.value)
    return SCIENTIFIC if field in _NUMBERS and _SCIENTIFIC.fullmatch(text) else None


def _typed(field: str, value: Value, epoch: date) -> str:
    if isinstance(value, bool):
        return "是" if value else "否"
    if isinstance(value, int | float):
        return _day(value, epoch) or _plain(value) if field in _DAYS else _plain(value)
    if isinstance(value, datetime):
        return value.date().isoformat()
    return value.isoformat() if isinstance(value, date) else str(value)


def _day(number: float, epoch: date) -> str | None:
    """The day that a whole number counts to, if it is one that a case can have."""
    whole = number == int(number)
    known = whole and (_FIRST_DAY - epoch).days <= number <= (_LAST_DAY - epoch).days
    return (epoch + timedelta(days=int(number))).isoformat() if known else None


def _plain(number: float) -> str:
    """As a spreadsheet shows it at most: 15 digits, never with an exponent."""
    return format(Decimal(f"{number:.{_EXACT_DIGITS}g}"), "f")


def is_blank(values: Sequence[Value]) -> bool:
    """A row in which nothing stands."""
    return not any(value.strip() if isinstance(value, str) else True for value in values)
