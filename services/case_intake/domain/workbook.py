"""A case system's export as an Excel workbook: the rows of its one table, as CSV rows come."""

import io
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from python_calamine import CalamineError, CalamineWorkbook, SheetTypeEnum, SheetVisibleEnum

from services.case_intake.domain.cells import Lost, Value, is_blank
from services.case_intake.domain.packed import LOCKED, unpack
from services.case_intake.domain.places import BROKEN, TOO_LARGE, Place, Places, Span
from services.case_intake.domain.refusals import refusal

COMPOUND = b"\xd0\xcf\x11\xe0"
"""The container of the older format, and of workbooks with a password ([MS-OFFCRYPTO] 1.3)."""
_ENCRYPTED = "EncryptedPackage".encode("utf-16-le")
_MOST_MERGED = 400_000
"""Cells below merged ones."""

OLD_FORMAT = "这是旧版Excel文件（.xls）。请在表格软件中另存为“Excel工作簿（.xlsx）”或CSV后重新上传。"
SEVERAL = "工作簿里有几张带内容的工作表。请只保留一张，另存后重新上传。"


class Record(NamedTuple):
    """A row: its number in the file, its cells, and whether the file hides it."""

    line: int
    values: list[Value]
    hidden: bool = False


@dataclass(frozen=True)
class Grid:
    """The rows of a table that hold anything, and whether its days count from 1904."""

    records: list[Record] = field(default_factory=list)
    since_1904: bool = False


def read_workbook(content: bytes, max_rows: int) -> Grid:
    """The one visible sheet that holds anything. Raises Invalid in words for a file that cannot be taken."""
    if content.startswith(COMPOUND):
        raise refusal(LOCKED if _ENCRYPTED in content else OLD_FORMAT)
    unpacked = unpack(content, max_rows)
    try:
        with CalamineWorkbook.from_filelike(io.BytesIO(unpacked.plain)) as book:
            tables = [_records(book, name, unpacked.sheets) for name in _visible(book)]
    except (CalamineError, ValueError, OSError):
        raise refusal(BROKEN) from None
    held = [table for table in tables if table]
    if len(held) > 1:
        raise refusal(SEVERAL)
    return Grid(held[0] if held else [], unpacked.since_1904)


def _visible(book: CalamineWorkbook) -> list[str]:
    return [
        sheet.name
        for sheet in book.sheets_metadata
        if sheet.visible is SheetVisibleEnum.Visible and sheet.typ is SheetTypeEnum.WorkSheet
    ]


def _records(book: CalamineWorkbook, name: str, sheets: Mapping[str, Places]) -> list[Record]:
    places = sheets.get(name)
    if places is None:  # the reader would read a sheet that nobody has looked at
        raise refusal(BROKEN)
    read = book.get_sheet_by_name(name)
    left = [""] * (read.start[1] if read.start else 0)
    rows: dict[int, list[Value]] = {line: [*left, *values] for line, values in enumerate(read.iter_rows(), start=1)}
    for line, column in places.failed:
        _put(rows, (line, column), Lost.FAILED)
    for line, column in places.unsolved:
        _put(rows, (line, column), Lost.UNSOLVED)
    rows = {line: values for line, values in sorted(rows.items()) if not is_blank(values)}
    _spread(rows, places.merged)
    width = len(next(iter(rows.values()), []))
    return [Record(line, values + [""] * (width - len(values)), line in places.hidden) for line, values in rows.items()]


def _put(rows: dict[int, list[Value]], place: Place, value: Value) -> None:
    """Beyond what the reader has seen stands nothing but such cells: rows and columns are made for them."""
    line, column = place
    values = rows.setdefault(line, [])
    values.extend([""] * (column - len(values)))
    values[column - 1] = value


def _spread(rows: dict[int, list[Value]], merged: list[Span]) -> None:
    """What is merged stands in the first cell alone: downwards it holds for all, sideways nobody knows for which."""
    count = 0
    for top, left, bottom, right in merged:
        value = _at(rows, top, left)
        for line in range(top, min(bottom, max(rows, default=0)) + 1):
            if line not in rows:
                continue
            count += right - left + 1
            if count > _MOST_MERGED or right > 1000:
                raise refusal(TOO_LARGE)
            for column in range(left, right + 1):
                if (line, column) != (top, left) and value != "":
                    _put(rows, (line, column), value if column == left else Lost.MERGED)


def _at(rows: dict[int, list[Value]], line: int, column: int) -> Value:
    values = rows.get(line, [])
    return values[column - 1] if column <= len(values) else ""
