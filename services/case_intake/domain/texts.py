"""Texts as people type or export them, read into values; each refusal says in Chinese what to do."""

import re
import unicodedata
from collections.abc import Callable, Mapping
from datetime import date
from decimal import Decimal
from typing import TypeVar

from email_validator import EmailNotValidError, validate_email

from services.case_intake.domain.words import COLUMNS
from shared.contracts.texts import UnfitTextError, cleaned, has_control, length, plain_dashes
from shared.errors import Fault

T = TypeVar("T")

_DAY = re.compile(r"(\d{4})[-/.年](\d{1,2})[-/.月](\d{1,2})日?", re.ASCII)
_AMOUNT = re.compile(r"(\d{1,14}|\d{1,3}(,\d{3}){1,4})(\.\d{1,2})?", re.ASCII)
_MOBILE = re.compile(r"1[3-9]\d{9}", re.ASCII)
_FIRST_YEAR, _LAST_YEAR = 1990, 2099


class FaultyTextError(ValueError):
    """The text is not what its field needs; the message is for people and never repeats the text."""


class Reader:
    """Reads named texts one by one and keeps every fault, so that all are told at once."""

    def __init__(self, texts: Mapping[str, str], prefix: str = "") -> None:
        self._texts = texts
        self._prefix = prefix
        self.faults: list[Fault] = []

    def refuse(self, field: str, reason: str) -> None:
        """Note a fault of `field`."""
        self.faults.append(Fault(self._prefix + field, reason))

    def lack(self, field: str) -> None:
        """Note that `field` must be given and is not."""
        self.refuse(field, f"请填写{COLUMNS.get(field, '此项')}。")

    def may(self, field: str, parse: Callable[[str], T]) -> T | None:
        """The value; None when the text is empty or faulty."""
        try:
            text = cleaned(self._texts.get(field, ""))
            return parse(text) if text else None
        except (FaultyTextError, UnfitTextError) as fault:
            self.refuse(field, str(fault))
            return None

    def must(self, field: str, parse: Callable[[str], T], stand_in: T) -> T:
        """The value; when it is missing or faulty, `stand_in`, with which the checks go on."""
        if not self.given(field):
            self.lack(field)
            return stand_in
        value = self.may(field, parse)
        return stand_in if value is None else value

    def given(self, field: str) -> bool:
        """Whether there is anything to be seen in the text."""
        try:
            return cleaned(self._texts.get(field, "")) != ""
        except UnfitTextError:
            return True


def narrow(text: str) -> str:
    """Digits and letters as a machine writes them: half-width, upper case, without spaces and dashes."""
    return re.sub(r"[\s-]", "", plain_dashes(unicodedata.normalize("NFKC", text))).upper()


def line(text: str) -> str:
    """One line of at most 200 characters."""
    return _limited(text, 200, "")


def unmasked(parse: Callable[[str], T]) -> Callable[[str], T]:
    """As `parse`, of what was not masked when it was shown: a mask saved back would overwrite what it hides."""

    def parsed(text: str) -> T:
        if "***" in text:
            raise FaultyTextError("这是遮掩后的内容，不能保存。请填写完整内容；不需要更正的，请不要改动这一项。")
        return parse(text)

    return parsed


def prose(text: str) -> str:
    """Several lines, at most 5,000 characters."""
    return _limited(text, 5000, "\n\t")


def words(read: Callable[[str], str]) -> Callable[[str], str]:
    """Reads a text that must say something: a bare number is what a spreadsheet leaves of a reference to nothing."""

    def reading(text: str) -> str:
        if not any(map(str.isalpha, text)):
            raise FaultyTextError("只有数字或符号，没有文字。请填写实际内容，或清空。")
        return read(text)

    return reading


def _limited(text: str, most: int, besides: str) -> str:
    if length(text) > most:
        raise FaultyTextError(f"内容太长，最多{most}个字，请缩短。")
    if has_control(text, besides):
        raise FaultyTextError("含有换行或不可见的控制字符，请删除后重填。")
    return text


def day(text: str) -> date:
    """A day of the calendar between 1990 and 2099: 2026-11-23, also 2026/11/23 and 2026年11月23日."""
    found = _DAY.fullmatch(unicodedata.normalize("NFKC", text))
    if found is None:
        raise FaultyTextError("日期格式不正确，请按“2026-11-23”的样式填写。")
    year, month, of_month = map(int, found.groups())
    try:
        value = date(year, month, of_month)
    except ValueError:
        raise FaultyTextError("没有这一天，请核对后按“2026-11-23”的样式填写。") from None
    if not _FIRST_YEAR <= year <= _LAST_YEAR:
        raise FaultyTextError("年份不合理，请核对日期。")
    return value


def past_day(today: date) -> Callable[[str], date]:
    """Reads a day on which something was done: `today` (Asia/Shanghai) is the last that it can be."""

    def reading(text: str) -> date:
        value = day(text)
        if value > today:
            raise FaultyTextError("日期晚于今天，请核对年、月、日。")
        return value

    return reading


def amount(text: str) -> Decimal:
    """CNY, not negative, two places; commas, if any, between groups of three."""
    plain = unicodedata.normalize("NFKC", text)
    if plain.startswith("-"):
        raise FaultyTextError("金额不能为负数，请核对后填写不小于0的金额。")
    if not _AMOUNT.fullmatch(plain):
        raise FaultyTextError("金额应为数字，最多两位小数，例如“624998.14”；逗号只能每三位一个。请核对。")
    return Decimal(plain.replace(",", "")).quantize(Decimal("0.01"))


def yes_no(text: str) -> bool:
    """是 or 否."""
    return one_of(text, {"是": True, "否": False})


def one_of(text: str, choices: Mapping[str, T]) -> T:
    """The value of one of the words; of several words for one value the first is shown."""
    if text not in choices:
        words: dict[T, str] = {}
        for word, value in choices.items():
            words.setdefault(value, word)
        raise FaultyTextError(f"只能填写{'或'.join(f'“{word}”' for word in words.values())}，请改正。")
    return choices[text]


def mobile(text: str) -> str:
    """A mobile number of the mainland, 11 digits; a leading +86 is dropped."""
    digits = narrow(text).removeprefix("+86").removeprefix("0086")
    if not _MOBILE.fullmatch(digits):
        raise FaultyTextError("不是有效的手机号码，应为1开头的11位数字，请核对。")
    return digits


def email(text: str) -> str:
    """An address that a mail can be sent to by its form (RFC 5321); whether it exists is learnt by sending."""
    try:
        return validate_email(text, check_deliverability=False, allow_smtputf8=False, strict=True).normalized
    except EmailNotValidError:
        raise FaultyTextError("不是有效的电子邮箱，应如“name@example.com”，请核对。") from None
