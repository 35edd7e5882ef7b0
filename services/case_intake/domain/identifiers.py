"""Identifiers of people and organisations: resident ID numbers (GB 11643), unified codes (GB 32100)."""

import re
from datetime import date

from stdnum.cn import uscc
from stdnum.exceptions import ValidationError

from services.case_intake.domain.texts import FaultyTextError, narrow

ADULT = 18
"""Civil Code Art. 17."""
_FORM = re.compile(r"[1-9]\d{16}[0-9X]", re.ASCII)
_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_CHECK_DIGITS = "10X98765432"


def resident_id(text: str) -> str:
    """18 characters with a real date of birth and the check digit of MOD 11-2; area codes are not judged."""
    number = narrow(text)
    if not _FORM.fullmatch(number):
        raise FaultyTextError("居民身份证号码应为18位，请核对。")
    try:
        birth_date(number)
    except ValueError:
        raise FaultyTextError("证件号码中的出生日期不存在，请核对。") from None
    total = sum(weight * int(digit) for weight, digit in zip(_WEIGHTS, number[:17], strict=True))
    if _CHECK_DIGITS[total % 11] != number[17]:
        raise FaultyTextError("证件号码的校验位不符，可能有数字录错，请核对。")
    return number


def birth_date(number: str) -> date:
    """The date of birth in a resident ID number. Raises ValueError when there is no such day."""
    return date(int(number[6:10]), int(number[10:12]), int(number[12:14]))


def is_minor(number: str, on: date) -> bool:
    """Whether the holder is under 18 on that day; the eighteenth birthday ends it."""
    born = birth_date(number)
    age = on.year - born.year - ((on.month, on.day) < (born.month, born.day))
    return age < ADULT


def company_code(text: str) -> str:
    """A unified social credit code with its check digits."""
    try:
        return str(uscc.validate(narrow(text)))
    except ValidationError:
        raise FaultyTextError("统一社会信用代码不正确，应为18位且校验位相符，请核对。") from None
