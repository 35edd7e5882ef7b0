"""A case system's export as CSV: one row per party, read into the rows of each case."""

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass

from pydantic import BaseModel

from services.case_intake.domain.numbers import CaseNumber
from services.case_intake.domain.texts import FaultyTextError
from services.case_intake.domain.words import COLUMNS
from shared.errors import Fault, Invalid

_FIELDS = {column: field for field, column in COLUMNS.items()}
_WITHOUT_CASE = 200
"""Rows without a usable case number are worked through so many at a time."""


class SheetRow(BaseModel):
    """A row: the physical line on which it begins (the header is on line 1), and its texts by field."""

    line: int
    texts: dict[str, str]
    cells: int


class RowGroup(BaseModel):
    """The rows of one case, or rows whose case number cannot be used."""

    case_number: str | None
    rows: list[SheetRow]


@dataclass(frozen=True)
class Sheet:
    """A file that could be read."""

    text: str
    rows: int
    groups: list[RowGroup]


def refusal(reason: str) -> Invalid:
    """The whole file cannot be taken."""
    return Invalid([Fault("file", reason)], "文件没有导入，请按提示处理后重新上传。")


def read_sheet(content: bytes, court: str, max_rows: int) -> Sheet:
    """Decode, split and group a file. Raises Invalid when it is no table of cases as a whole."""
    text = decode(content)
    rows: list[SheetRow] = []
    for row in _rows(text):
        rows.append(row)
        if len(rows) > max_rows:
            raise refusal(f"表格超过{max_rows}行，请拆成几个文件后分别上传。")
    if not rows:
        raise refusal("表格只有表头，没有数据行。请填好当事人各行后重新上传。")
    return Sheet(text, len(rows), _grouped(rows, court))


def decode(content: bytes) -> str:
    """The text: UTF-8 with or without a mark, else GB18030 when that yields a header we know."""
    if not content.strip():
        raise refusal("文件是空的。请选择从案件系统导出的CSV表格。")
    if content.startswith((b"PK\x03\x04", b"\xd0\xcf\x11\xe0")):
        raise refusal("目前只接受CSV表格。请在表格软件中选择“另存为”，类型选“CSV UTF-8（逗号分隔）”，再上传。")
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            text = content.decode(encoding)
        except UnicodeDecodeError:
            continue
        if encoding == "utf-8-sig" or any(column in text.partition("\n")[0] for column in _FIELDS):
            return text
    raise refusal("无法识别文件的文字编码。请在表格软件中另存为“CSV UTF-8（逗号分隔）”，再上传。")


def _records(text: str) -> Iterator[tuple[int, list[str]]]:
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    begins = 1
    try:
        for record in reader:
            yield begins, [cell.strip() for cell in record]
            begins = reader.line_num + 1
    except csv.Error:
        raise refusal(f"第{begins}行起的引号或分隔符有误，无法分列。请检查该行的引号是否成对。") from None


def _rows(text: str) -> Iterator[SheetRow]:
    records = _records(text)
    header = next((cells for _, cells in records if any(cells)), None)
    if header is None:
        raise refusal("文件是空的。请选择从案件系统导出的CSV表格。")
    _check_header(header)
    fields = [_FIELDS[column] for column in header]
    for begins, cells in records:
        if any(cells):
            yield SheetRow(line=begins, texts=dict(zip(fields, cells, strict=False)), cells=len(cells))


def _check_header(header: list[str]) -> None:
    findings = {
        "缺少列": [column for column in _FIELDS if column not in header],
        "不认识的列": [column or "（空白）" for column in header if column not in _FIELDS],
        "重复的列": sorted({column for column in header if column in _FIELDS and header.count(column) > 1}),
    }
    words = [f"{word}：{'、'.join(columns)}" for word, columns in findings.items() if columns]
    if words:
        raise refusal(f"表头不符合要求。{'；'.join(words)[:500]}。请对照模板修改第一行。")


def _grouped(rows: list[SheetRow], court: str) -> list[RowGroup]:
    cases: dict[str, RowGroup] = {}
    others: list[SheetRow] = []
    for row in rows:
        number = usable_number(row, court)
        if number is None:
            others.append(row)
        else:
            cases.setdefault(number, RowGroup(case_number=number, rows=[])).rows.append(row)
    parts = [others[at : at + _WITHOUT_CASE] for at in range(0, len(others), _WITHOUT_CASE)]
    return [*cases.values(), *(RowGroup(case_number=None, rows=part) for part in parts)]


def usable_number(row: SheetRow, court: str) -> str | None:
    """The row's case number in its written form, or None."""
    try:
        return CaseNumber.parse(row.texts.get("case_number", ""), court).text
    except FaultyTextError:
        return None
