"""A case system's export: one row per party, read into the rows of each case."""

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from pydantic import BaseModel, Field

from services.case_intake.domain import cells
from services.case_intake.domain.cells import Value
from services.case_intake.domain.numbers import CaseNumber
from services.case_intake.domain.refusals import refusal
from services.case_intake.domain.texts import FaultyTextError
from services.case_intake.domain.words import COLUMNS, REQUIRED
from services.case_intake.domain.workbook import COMPOUND, PACKED, Record, read_workbook

FIELDS = {column: field for field, column in COLUMNS.items()}
_WITHOUT_CASE = 200
"""Rows without a usable case number are worked through so many at a time."""
EMPTY = "文件是空的。请选择从案件系统导出的Excel或CSV表格。"


class SheetRow(BaseModel):
    """A row: the physical line on which it begins (the header is on line 1), and its texts by field.

    `spoilt`: by field why its text is not what was once typed; `columns`: how many the header names.
    """

    line: int
    texts: dict[str, str]
    cells: int
    columns: int = len(REQUIRED)
    spoilt: dict[str, str] = Field(default_factory=dict)


class Change(BaseModel, frozen=True):
    """A fact on file from which a row differs. `about` is the party's name, empty for the case itself."""

    line: int
    case_number: str
    about: str
    field: str
    old: str
    new: str


class RowGroup(BaseModel):
    """The rows of one case, or rows whose case number cannot be used. `approved`: what a clerk saw and confirmed.

    `far`: the number lies far beyond its series, and nobody has confirmed it.
    """

    case_number: str | None
    rows: list[SheetRow]
    far: bool = False
    approved: list[Change] = Field(default_factory=list)


@dataclass(frozen=True)
class Table:
    """A file that could be read: its text (a workbook's as CSV) and the rows that hold anything."""

    text: str
    rows: list[SheetRow]


def read_table(content: bytes, max_rows: int) -> Table:
    """Decode and split a file. Raises Invalid when it is no table of cases as a whole."""
    if content.startswith((PACKED, COMPOUND)):
        records: Iterable[Record] = list(read_workbook(content, max_rows))
        text = _as_text(records)
    else:
        text = decode(content)
        records = _records(text)
    rows: list[SheetRow] = []
    for row in _rows(records):
        rows.append(row)
        if len(rows) > max_rows:
            raise refusal(f"表格超过{max_rows}行，请拆成几个文件后分别上传。")
    if not rows:
        raise refusal("表格只有表头，没有数据行。请填好当事人各行后重新上传。")
    return Table(text, rows)


def decode(content: bytes) -> str:
    """The text: UTF-8 with or without a mark, else GB18030 when that yields a header we know."""
    if not content.strip():
        raise refusal(EMPTY)
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            text = content.decode(encoding)
        except UnicodeDecodeError:
            continue
        if encoding == "utf-8-sig" or any(column in text.partition("\n")[0] for column in FIELDS):
            return text
    raise refusal("无法识别文件的文字编码。请在表格软件中另存为“Excel工作簿（.xlsx）”或“CSV UTF-8”，再上传。")


def _records(text: str) -> Iterator[Record]:
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    begins = 1
    try:
        for record in reader:
            yield begins, [cell.strip() for cell in record]
            begins = reader.line_num + 1
    except csv.Error:
        raise refusal(f"第{begins}行起的引号或分隔符有误，无法分列。请检查该行的引号是否成对。") from None


def _as_text(records: Iterable[Record]) -> str:
    text = io.StringIO()
    csv.writer(text).writerows(values for _, values in records)
    return text.getvalue()


def _rows(records: Iterable[Record]) -> Iterator[SheetRow]:
    fields: list[str] | None = None
    for line, values in records:
        if cells.is_blank(values):
            continue
        if fields is None:
            fields = _fields([str(value).strip() for value in values])
        else:
            yield _row(line, fields, values)
    if fields is None:
        raise refusal(EMPTY)


def _row(line: int, fields: Sequence[str], values: Sequence[Value]) -> SheetRow:
    read = {field: cells.read(field, value) for field, value in zip(fields, values, strict=False)}
    spoilt = {field: reason for field, (_, reason) in read.items() if reason}
    return SheetRow(
        line=line,
        texts={field: text for field, (text, _) in read.items()},
        cells=len(values),
        columns=len(fields),
        spoilt=spoilt,
    )


def _fields(header: list[str]) -> list[str]:
    findings = {
        "缺少列": [COLUMNS[field] for field in REQUIRED if COLUMNS[field] not in header],
        "不认识的列": [column or "（空白）" for column in header if column not in FIELDS],
        "重复的列": sorted({column for column in header if column in FIELDS and header.count(column) > 1}),
    }
    words = [f"{word}：{'、'.join(columns)}" for word, columns in findings.items() if columns]
    if words:
        raise refusal(f"表头不符合要求。{'；'.join(words)[:500]}。请对照模板修改第一行。")
    return [FIELDS[column] for column in header]


def grouped(rows: Iterable[SheetRow], court: str) -> list[RowGroup]:
    """The rows of each case together; those without a usable number in parts."""
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
