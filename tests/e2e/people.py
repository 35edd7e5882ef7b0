"""Who takes part in the browser's story: two parties of a case, and an old stock of cases as a file."""

import csv
import io
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from stdnum.cn import ric, uscc

from shared.clock import SystemClock, court_date

CLAIM = "80000.00"
OLD_STOCK = ((169, "买卖合同纠纷"), (96, "民间借贷纠纷"), (42, "建设工程施工合同纠纷"), (18, "房屋租赁合同纠纷"))
"""How many days ago each was filed, and its cause."""


def days_ago(days: int) -> str:
    """The court's date of so many days ago, for files and forms: the product under test runs by the real clock."""
    return (court_date(SystemClock().now()) - timedelta(days=days)).isoformat()


@dataclass(frozen=True)
class Someone:
    """A party of the filed case; who has a mail address consents to electronic service."""

    name: str
    id_kind: str
    id_number: str
    phone: str
    email: str = ""


def resident_id(serial: int) -> str:
    """A number with a real date and a right check digit."""
    body = f"50010319900101{serial:03d}"
    return body + str(ric.calc_check_digit(body + "0"))


def company_code(serial: int) -> str:
    """A unified social credit code with a right check digit."""
    body = f"91500103MA5U{serial:05d}"
    return body + str(uscc.calc_check_digit(body + "0"))


APPLICANT = Someone("陈示例", "居民身份证", resident_id(11), "19770000011", "applicant@example.com")
RESPONDENT = Someone("重庆示例建材有限公司", "统一社会信用代码", company_code(12), "19770000012")


def stock_rows() -> list[dict[str, str]]:
    """A row per party; the last row's ID number has a wrong check digit."""
    rows = [
        {
            "案号": f"（{days_ago(filed)[:4]}）渝05执{7101 + at}号",
            "立案日期": days_ago(filed),
            "执行依据文号": "（2025）渝05民初77号",
            "作出机关": "重庆市第五中级人民法院",
            "案由": cause,
            "执行标的金额": CLAIM,
            "当事人地位": role,
            "姓名或名称": name,
            "证件类型": "居民身份证",
            "证件号码": resident_id(number + at),
            "手机号码": f"197700001{number + at}",
            "同意电子送达": "否",
            "送达地址": "重庆市渝中区示例路2号",
            "应履行义务": f"向申请执行人支付人民币{CLAIM}元",
        }
        for at, (filed, cause) in enumerate(OLD_STOCK)
        for role, name, number in (("申请执行人", "王示例", 20), ("被执行人", "李示例", 40))
    ]
    right = rows[-1]["证件号码"]
    rows[-1]["证件号码"] = right[:-1] + ("1" if right[-1] != "1" else "2")
    return rows


def fill_in(template: Path) -> bytes:
    """The court's empty table with the rows of the old stock."""
    head = template.read_text(encoding="utf-8-sig").strip()
    text = io.StringIO()
    writer = csv.DictWriter(text, head.split(","), restval="")
    writer.writeheader()
    writer.writerows(stock_rows())
    return text.getvalue().encode()
