"""The file that a court would import: each case with an applicant and a respondent, all reachable, part by mail."""

import csv
import io
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta

from services.case_intake.domain.words import COLUMNS

_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_NAMES = ("刘", "陈", "杨", "赵", "黄", "周", "吴", "徐", "孙", "马"), ("静", "洋", "芳", "伟", "敏", "强", "磊", "艳")
_CAUSES = ("民间借贷纠纷", "买卖合同纠纷", "物业服务合同纠纷", "劳动争议")
_BY_MAIL = 6
"""Of ten parties so many consent to electronic service and have a mailbox."""


@dataclass(frozen=True)
class CourtFile:
    """The file and what it must come to: each telephone one SMS, each consenting mailbox one mail."""

    content: bytes
    due: Counter[tuple[str, str]]


def court_file(cases: int, today: date) -> CourtFile:
    """A file of so many cases, filed in the last three days."""
    rows = [row for serial in range(1, cases + 1) for row in _case(serial, today)]
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, list(COLUMNS.values()))
    writer.writeheader()
    writer.writerows({COLUMNS[field]: value for field, value in row.items()} for row in rows)
    due = Counter(("sms", row["phone"]) for row in rows)
    due.update(("mail", row["email"]) for row in rows if row["consents"] == "是")
    return CourtFile(text.getvalue().encode("utf-8-sig"), due)


def _case(serial: int, today: date) -> Iterator[dict[str, str]]:
    amount = f"{10_000 + serial * 137}.{serial % 100:02d}"
    facts = {
        "case_number": f"（2026）渝05执{20_000 + serial}号",
        "filed_on": (today - timedelta(days=serial % 3)).isoformat(),
        "basis_document": f"（2025）渝05民终{serial}号",
        "basis_maker": "重庆市第五中级人民法院",
        "cause": _CAUSES[serial % len(_CAUSES)],
        "claim_amount": amount,
        "obligation": f"向申请执行人支付人民币{amount}元及逾期利息",
    }
    for side, role in enumerate(("申请执行人", "被执行人")):
        yield facts | {"role": role} | _person(serial * 2 + side)


def _person(number: int) -> dict[str, str]:
    family, given = _NAMES
    by_mail = number % 10 < _BY_MAIL
    return {
        "name": family[number % len(family)] + given[number // len(family) % len(given)],
        "id_kind": "居民身份证",
        "id_number": _id_number(number),
        "phone": f"137{number:08d}",
        "email": f"party{number}@example.com" if by_mail else "",
        "consents": "是" if by_mail else "否",
        "address_confirmed_on": "2025-12-01" if by_mail else "",
        "postal_address": f"重庆市渝中区演示路{number}号",
    }


def _id_number(number: int) -> str:
    """A resident ID number with a real day of birth and its check digit (GB 11643)."""
    day = f"{1960 + number % 40}{1 + number % 12:02d}{1 + number % 28:02d}"
    digits = f"500103{day}{number % 1000:03d}"
    total = sum(weight * int(digit) for weight, digit in zip(_WEIGHTS, digits, strict=True))
    return digits + "10X98765432"[total % 11]
