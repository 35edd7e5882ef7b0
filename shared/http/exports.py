"""Lists as files: CSV and XLSX whose cells are texts and numbers, never formulas."""

import asyncio
import csv
import io
import tempfile
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import IO, Any, Literal
from urllib.parse import quote

import xlsxwriter
from starlette.responses import Response, StreamingResponse

from shared.clock import SHANGHAI

Kind = Literal["csv", "xlsx"]
Cell = str | int | float | Decimal | date | datetime | bool | None
Line = Sequence[Cell]

MOST = 50_000
"""Rows of a file; whoever needs more narrows the filters."""
CUT = f"仅导出前{MOST}行，请缩小筛选范围后分次导出。"
PORTION = 500
_CHUNK = 64 * 1024
_STARTS_A_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
_TYPES: dict[Kind, str] = {
    "csv": "text/csv; charset=utf-8",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}


@dataclass
class Written:
    """A list in a file of its own that no folder names: how many rows, and whether others were left out."""

    kind: Kind
    file: IO[bytes]
    rows: int = 0
    cut: bool = False

    def answer(self, name: str) -> Response:
        """To be kept as a file, never by browsers or proxies. The file is gone when it was sent."""
        headers = {
            "Content-Disposition": f"attachment; filename*=UTF-8''{quote(f'{name}.{self.kind}')}",
            "Cache-Control": "no-store",
        }
        return StreamingResponse(_sent(self.file), 200, headers, _TYPES[self.kind])


async def write(kind: Kind, heads: Sequence[str], lines: AsyncIterator[Line]) -> Written:
    """The rows as they come, each written at once; beyond `MOST` a last row says that they were cut."""
    made = Written(kind, tempfile.TemporaryFile())  # noqa: SIM115 - closed when it has been sent
    try:
        await (_write_csv if kind == "csv" else _write_workbook)(made.file, heads, _counted(made, lines))
    except BaseException:
        made.file.close()
        raise
    made.file.seek(0)
    return made


def _sent(file: IO[bytes]) -> Iterator[bytes]:
    with file:
        while chunk := file.read(_CHUNK):
            yield chunk


async def _counted(made: Written, lines: AsyncIterator[Line]) -> AsyncIterator[Line]:
    async for line in lines:
        if made.rows == MOST:
            made.cut = True
            yield (CUT,)
            return
        made.rows += 1
        yield line


async def _write_csv(file: IO[bytes], heads: Sequence[str], lines: AsyncIterator[Line]) -> None:
    text = io.TextIOWrapper(file, "utf-8-sig", newline="", write_through=True)
    writer = csv.writer(text)
    writer.writerow(heads)
    async for line in lines:
        writer.writerow([harmless(written(cell)) if _is_text(cell) else written(cell) for cell in line])
    text.detach()


async def _write_workbook(file: IO[bytes], heads: Sequence[str], lines: AsyncIterator[Line]) -> None:
    options = {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    book = xlsxwriter.Workbook(file, options)
    sheet = book.add_worksheet("列表")
    sheet.freeze_panes(1, 0)
    sheet.set_column(0, max(0, len(heads) - 1), 20)
    bold = book.add_format({"bold": True})
    for at, head in enumerate(heads):
        sheet.write_string(0, at, head, bold)
    place = 0
    async for line in lines:
        place += 1
        for at, cell in enumerate(line):
            _write_cell(sheet, place, at, cell)
    await asyncio.to_thread(book.close)


def _write_cell(sheet: Any, row: int, column: int, cell: Cell) -> None:
    """A text as an inline string of the text type, which no program reckons; a number as one."""
    if cell is None or cell == "":
        return
    if _is_text(cell):
        sheet.write_string(row, column, written(cell))
    else:
        sheet.write_number(row, column, float(cell))  # type: ignore[arg-type]


def _is_text(cell: Cell) -> bool:
    return isinstance(cell, bool) or not isinstance(cell, int | float | Decimal)


def written(cell: Cell) -> str:
    """A value as people read it: instants in Shanghai to the minute."""
    if cell is None:
        return ""
    if isinstance(cell, bool):
        return "是" if cell else "否"
    if isinstance(cell, datetime):
        return f"{cell.astimezone(SHANGHAI):%Y-%m-%d %H:%M}"
    return cell.isoformat() if isinstance(cell, date) else str(cell)


def harmless(text: str) -> str:
    """A text that no spreadsheet takes for a formula: an apostrophe stands before what could begin one."""
    return f"'{text}" if text.startswith(_STARTS_A_FORMULA) else text
