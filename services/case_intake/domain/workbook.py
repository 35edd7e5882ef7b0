"""A case system's export as an Excel workbook: the rows of its one table, as CSV rows come.

A workbook is a packed archive of XML. It is unpacked within limits and its cells' places are looked at before the
reader sees it: a small file can unpack to gigabytes, and one cell far out makes a table of billions.
"""

import io
import re
import zipfile
import zlib
from collections.abc import Iterator

from python_calamine import CalamineError, CalamineWorkbook, SheetTypeEnum, SheetVisibleEnum

from services.case_intake.domain.cells import Value, is_blank
from services.case_intake.domain.refusals import refusal

PACKED = b"PK\x03\x04"
COMPOUND = b"\xd0\xcf\x11\xe0"
"""The container of the older format, and of workbooks with a password ([MS-OFFCRYPTO] 1.3)."""
_MOST_BYTES = 160 * 1024 * 1024
_MOST_COLUMNS = 40
_SPARE_ROWS = 1000
_ENCRYPTED = "EncryptedPackage".encode("utf-16-le")
_CELL = re.compile(rb"""<(?:\w+:)?c\b((?:\s+[\w:]+\s*=\s*(?:"[^"]*"|'[^']*'))*)\s*>""")
_PLACE = re.compile(rb"""\br\s*=\s*["']([A-Z]{1,3})(\d{1,7})["']""")
_ERROR = re.compile(rb"""\bt\s*=\s*["']e["']""")
_NO_WORKBOOK = (CalamineError, zipfile.BadZipFile, zlib.error, NotImplementedError, EOFError, ValueError, OSError)

BROKEN = "文件已损坏，无法打开。请在表格软件中打开核对，另存为“Excel工作簿（.xlsx）”后重新上传。"
LOCKED = "文件设有密码，无法读取。请在表格软件中取消密码，另存后重新上传。"
OLD_FORMAT = "这是旧版Excel文件（.xls）。请在表格软件中另存为“Excel工作簿（.xlsx）”或CSV后重新上传。"
TOO_LARGE = "表格内容过大。请拆成几个文件后分别上传。"
FAR_OUT = "表格超过{}行，或者右侧、下方很远处还有内容。请删除案件各行以外的内容；行数过多的，请拆成几个文件。"
SEVERAL = "工作簿里有几张带内容的工作表。请只保留一张，另存后重新上传。"

Record = tuple[int, list[Value]]
"""The row's number in the file, and its cells."""


def read_workbook(content: bytes, max_rows: int) -> Iterator[Record]:
    """The rows that hold anything. Raises Invalid in words for a file that cannot be taken."""
    if content.startswith(COMPOUND):
        raise refusal(LOCKED if _ENCRYPTED in content else OLD_FORMAT)
    plain, broken_cells = _unpacked(content, max_rows)
    rows = _table(plain)
    width = 0
    for line, row in enumerate(rows, start=1):
        values: list[Value] = [
            "#N/A" if value == "" and (line, at) in broken_cells else value for at, value in enumerate(row, start=1)
        ]
        while values and is_blank(values[-1:]):
            values.pop()
        if values:
            width = width or len(values)
            yield line, values + [""] * (width - len(values))


def _unpacked(content: bytes, max_rows: int) -> tuple[bytes, set[tuple[int, int]]]:
    """The workbook's XML in an archive of our own making, and the places of formulas that failed."""
    kept, broken_cells = io.BytesIO(), set[tuple[int, int]]()
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as packed, zipfile.ZipFile(kept, "w") as plain:
            parts = [part for part in packed.infolist() if part.filename.endswith((".xml", ".rels"))]
            if sum(part.file_size for part in parts) > _MOST_BYTES:
                raise refusal(TOO_LARGE)
            for part in parts:
                if part.flag_bits & 1:
                    raise refusal(LOCKED)
                xml = packed.read(part)
                broken_cells |= _looked_at(part.filename, xml, max_rows)
                plain.writestr(part.filename, xml)
    except _NO_WORKBOOK:
        raise refusal(BROKEN) from None
    return kept.getvalue(), broken_cells


def _looked_at(name: str, xml: bytes, max_rows: int) -> set[tuple[int, int]]:
    """The places of failed formulas of a sheet. Raises Invalid when a cell that holds something lies far out."""
    broken_cells = set()
    for found in _CELL.finditer(xml) if name.startswith("xl/worksheets/") else ():
        place = _PLACE.search(found[1])
        if place is None:
            continue
        column, line = _column(place[1]), int(place[2])
        if column > _MOST_COLUMNS or line > max_rows + _SPARE_ROWS:
            raise refusal(FAR_OUT.format(max_rows))
        if _ERROR.search(found[1]):
            broken_cells.add((line, column))
    return broken_cells


def _column(letters: bytes) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + letter - ord("A") + 1
    return number


def _table(plain: bytes) -> list[list[Value]]:
    """The one visible sheet that holds anything; an empty list when none does."""
    try:
        with CalamineWorkbook.from_filelike(io.BytesIO(plain)) as book:
            names = [
                sheet.name
                for sheet in book.sheets_metadata
                if sheet.visible is SheetVisibleEnum.Visible and sheet.typ is SheetTypeEnum.WorkSheet
            ]
            tables: list[list[list[Value]]] = [
                [list(row) for row in book.get_sheet_by_name(name).to_python(skip_empty_area=False)] for name in names
            ]
    except _NO_WORKBOOK:
        raise refusal(BROKEN) from None
    held = [table for table in tables if not all(map(is_blank, table))]
    if len(held) > 1:
        raise refusal(SEVERAL)
    return held[0] if held else []
