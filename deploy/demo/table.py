"""The story's cases as the file that a court's case system would export: one row a party."""

import csv
import io
from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import date

from services.case_intake.domain.words import COLUMNS

_WORDS = {
    "applicant": "申请执行人",
    "respondent": "被执行人",
    "resident_id": "居民身份证",
    "uscc": "统一社会信用代码",
    True: "是",
    False: "否",
}
_MAKER = "重庆市第五中级人民法院"


def numbered(filed_on: Mapping[str, date]) -> dict[str, str]:
    """Case numbers by name: per year, in the order of filing."""
    used: Counter[int] = Counter()
    numbers = {}
    for name in sorted(filed_on, key=lambda name: filed_on[name]):
        year = filed_on[name].year
        used[year] += 1
        numbers[name] = f"（{year}）渝05执{used[year]}号"
    return numbers


def table(rows: Iterable[Mapping[str, object]]) -> bytes:
    """A CSV in UTF-8 with the columns of an import."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(COLUMNS.values())
    for row in rows:
        values = {"basis_maker": _MAKER, **row}
        writer.writerow([_cell(values.get(field, "")) for field in COLUMNS])
    return text.getvalue().encode()


def _cell(value: object) -> str:
    return _WORDS.get(value, str(value)) if isinstance(value, str | bool) else str(value)
