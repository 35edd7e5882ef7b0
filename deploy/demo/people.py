"""Invented parties: names that say so, numbers with right check digits that belong to nobody.

The area code 900000 is given to no place, so no such ID number exists; mail goes to example.com (RFC 2606).
"""

from datetime import date, timedelta
from typing import Any

from stdnum.cn import uscc

_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_CHECK_DIGITS = "10X98765432"
_SURNAMES = (
    "赵钱孙李周吴郑王冯陈褚卫蒋沈韩杨朱秦尤许何吕施张孔曹严华金魏"
    "陶姜戚谢邹喻柏章云苏潘葛范彭郎鲁韦马苗方俞任袁柳唐罗薛雷贺倪"
    "汤滕殷毕郝邬安常乐于时傅皮卞齐康伍余元卜顾孟平黄和穆萧尹"
)
_TRADES = ("建材", "物流", "餐饮", "机械", "纺织", "装饰", "汽配", "园林", "食品", "家具", "印务", "门窗")
_BORN_FIRST = date(1960, 1, 1)


def resident_id(serial: int) -> str:
    """A resident ID number by GB 11643 with the area code of nowhere."""
    body = f"900000{_BORN_FIRST + timedelta(days=97 * serial):%Y%m%d}{serial % 1000:03d}"
    total = sum(weight * int(digit) for weight, digit in zip(_WEIGHTS, body, strict=True))
    return body + _CHECK_DIGITS[total % 11]


def company_code(serial: int) -> str:
    """A unified social credit code by GB 32100 with the area code of nowhere."""
    body = f"91900000MA9D{serial:05d}"
    return body + str(uscc.calc_check_digit(body + "0"))


def phone(serial: int) -> str:
    """A mobile number in the form of one."""
    return f"1990000{serial:04d}"


def mailbox(serial: int) -> str:
    """A mail address that cannot exist outside the sandbox."""
    return f"demo{serial:02d}@example.com"


def party(role: str, serial: int, kind: str, confirmed_on: date) -> dict[str, Any]:
    """A party as `POST /api/cases` takes it. `kind`: e or p, a person served by mail or on paper; E or P, a company."""
    company = kind.isupper()
    person: dict[str, Any] = {
        "role": role,
        "name": _company(serial) if company else f"{_SURNAMES[serial % len(_SURNAMES)]}示例",
        "id_kind": "uscc" if company else "resident_id",
        "id_number": company_code(serial) if company else resident_id(serial),
        "phone": phone(serial),
        "consents": kind in "eE",
        "postal_address": f"重庆市示例区演示路{serial}号",
    }
    if person["consents"]:
        person |= {"email": mailbox(serial), "address_confirmed_on": confirmed_on.isoformat()}
    return person


def _company(serial: int) -> str:
    trade = _TRADES[serial % len(_TRADES)]
    return f"重庆示例{_SURNAMES[serial % len(_SURNAMES)]}记{trade}有限公司"
