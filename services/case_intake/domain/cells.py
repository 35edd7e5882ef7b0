"""Cells as a spreadsheet hands them over, read as what was typed; what it has spoilt beyond repair is named."""

import re
from collections.abc import Sequence
from datetime import date, datetime, time, timedelta
from decimal import Decimal

Value = str | int | float | bool | date | datetime | time | timedelta
"""A cell; empty ones are empty texts."""

_DAYS = {"filed_on", "address_confirmed_on"}
_NUMBERS = {"id_number", "phone", "guardian_phone", "agent_phone"}
_EXACT_DIGITS = 15
"""Spreadsheets keep numbers to 15 digits."""
_EPOCH = date(1899, 12, 30)
_FIRST_SERIAL, _LAST_SERIAL = 32_874, 73_050
"""1990-01-01 and 2099-12-31 as spreadsheets count days."""
_SCIENTIFIC = re.compile(r"\d(\.\d+)?[Ee]\+?\d{1,2}", re.ASCII)
ERRORS = frozenset({"#N/A", "#REF!", "#VALUE!", "#NAME?", "#DIV/0!", "#NULL!", "#NUM!"})

ROUNDED = "表格软件把号码当作数字，只保留了前15位，其余已变为0。请把这一列设为“文本”格式，重新填写完整号码。"
SCIENTIFIC = "号码被表格软件改成了科学记数。请把这一列设为“文本”格式，重新填写完整号码。"
BROKEN_FORMULA = "单元格是公式错误，读不出内容。请改为实际内容；没有内容的，请清空。"


def read(field: str, value: Value) -> tuple[str, str | None]:
    """The cell's text, and why it cannot be used: None when it can be judged as it stands."""
    if isinstance(value, str):
        text = value.strip()
        return text, _spoilt_text(field, text)
    text = _typed(field, value)
    rounded = field in _NUMBERS and isinstance(value, float) and len(text.lstrip("-")) > _EXACT_DIGITS
    return text, ROUNDED if rounded else None


def _spoilt_text(field: str, text: str) -> str | None:
    if text in ERRORS:
        return BROKEN_FORMULA
    return SCIENTIFIC if field in _NUMBERS and _SCIENTIFIC.fullmatch(text) else None


def _typed(field: str, value: Value) -> str:
    if isinstance(value, bool):
        return "是" if value else "否"
    if isinstance(value, int | float):
        serial = field in _DAYS and value == int(value) and _FIRST_SERIAL <= value <= _LAST_SERIAL
        return (_EPOCH + timedelta(days=int(value))).isoformat() if serial else _plain(value)
    if isinstance(value, datetime):
        return value.date().isoformat()
    return value.isoformat() if isinstance(value, date) else str(value)


def _plain(number: float) -> str:
    """As a spreadsheet shows it at most: 15 digits, never with an exponent."""
    return format(Decimal(f"{number:.{_EXACT_DIGITS}g}"), "f")


def is_blank(values: Sequence[Value]) -> bool:
    """A row in which nothing stands."""
    return not any(value.strip() if isinstance(value, str) else True for value in values)
