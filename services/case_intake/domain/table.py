"""An uploaded table: its bytes read into plain rows, in a process of its own (shared/uploads).

This module and all that it imports start anew for each file, so they import little.
"""

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from services.case_intake.domain import cells
from services.case_intake.domain.cells import Lost, Value
from services.case_intake.domain.formats import foreign
from services.case_intake.domain.packed import PACKED
from services.case_intake.domain.refusals import refusal
from services.case_intake.domain.words import COLUMNS, REQUIRED
from services.case_intake.domain.workbook import COMPOUND, Grid, Record, read_workbook
from shared.contracts.texts import LONGEST, visible

FIELDS = {column: field for field, column in COLUMNS.items()}
EMPTY = "文件是空的。请选择从案件系统导出的Excel或CSV表格。"


def read_table(content: bytes, max_rows: int) -> Iterator[dict[str, Any]]:
    """The rows, with the fields of a SheetRow. Raises Invalid when it is no table of cases as a whole."""
    grid = read_workbook(content, max_rows) if content.startswith((PACKED, COMPOUND)) else Grid(_records(content))
    first, *records = grid.records or [Record(0, [])]
    header = _trimmed(first.values, 0)
    if not header:
        raise refusal(EMPTY)
    kept = _kept(header, records)
    columns = dict(zip(kept, _fields([_title(header[at]) for at in kept]), strict=True))
    if len(records) > max_rows:
        raise refusal(f"表格超过{max_rows}行，请拆成几个文件后分别上传。")
    if not records:
        raise refusal("表格只有表头，没有数据行。请填好当事人各行后重新上传。")
    return (_row(record, columns, len(header), since_1904=grid.since_1904) for record in records)


def _encoding(content: bytes) -> str:
    """UTF-8 with or without a mark, else GB18030 when that yields a header we know."""
    if not content.strip():
        raise refusal(EMPTY)
    words = foreign(content)
    if words is not None:
        raise refusal(words)
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            text = content.decode(encoding)
        except UnicodeDecodeError:
            continue
        if encoding == "utf-8-sig" or any(column in text.partition("\n")[0] for column in FIELDS):
            return encoding
    raise refusal("无法识别文件的文字编码。请在表格软件中另存为“Excel工作簿（.xlsx）”或“CSV UTF-8”，再上传。")


def _records(content: bytes) -> list[Record]:
    text = io.TextIOWrapper(io.BytesIO(content), _encoding(content), newline="")
    reader = csv.reader(text, strict=True)
    begins, found = 1, []
    try:
        for record in reader:
            if not cells.is_blank(record):
                found.append(Record(begins, [*record]))
            begins = reader.line_num + 1
    except csv.Error:
        raise refusal(f"第{begins}行起的引号或分隔符有误，无法分列。请检查该行的引号是否成对。") from None
    return found


def _kept(header: Sequence[Value], records: Sequence[Record]) -> list[int]:
    """The columns that count: one without a title, with nothing below it either, is no fault."""
    return [
        at for at in range(len(header)) if _title(header[at]) or any(_holds(record.values, at) for record in records)
    ]


def _title(value: Value) -> str:
    return "" if isinstance(value, Lost) else visible(str(value))


def _holds(values: Sequence[Value], at: int) -> bool:
    return at < len(values) and values[at] is not Lost.MERGED and not cells.is_blank(values[at : at + 1])


def _row(record: Record, columns: Mapping[int, str], width: int, *, since_1904: bool) -> dict[str, Any]:
    values = _trimmed(record.values, width)
    read = {
        field: cells.read(field, values[at], since_1904=since_1904) for at, field in columns.items() if at < len(values)
    }
    return {
        "line": record.line,
        # One sign too many is enough to refuse a cell: what comes out of a hostile file is no longer than its rows.
        "texts": {field: text[: LONGEST + 1] for field, (text, _) in read.items()},
        "cells": len(read) + max(0, len(values) - width),
        "columns": len(columns),
        "spoilt": {field: reason for field, (_, reason) in read.items() if reason},
        "hidden": record.hidden,
    }


def _trimmed(values: Sequence[Value], width: int) -> Sequence[Value]:
    """Without blank cells beyond the table's width."""
    end = len(values)
    while end > width and not _holds(values, end - 1):
        end -= 1
    return values[:end]


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
