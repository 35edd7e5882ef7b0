"""Lists as files: no cell is a formula, numbers stay numbers, what is cut off says so."""

import csv
import io
from collections.abc import AsyncIterator
from datetime import UTC, date, datetime
from decimal import Decimal

import openpyxl  # type: ignore[import-untyped]

from shared.http import exports
from shared.http.exports import Cell, Kind, Line

EVIL = ("=1+1", "+86", "-2", "@SUM(A1)", "\tx", "\r=1", "＝1+1")
PLAIN: tuple[Cell, ...] = ("刘艳", 7, Decimal("-5.25"), date(2026, 11, 23), datetime(2026, 11, 23, 4, tzinfo=UTC), None)


async def lines(*rows: Line) -> AsyncIterator[Line]:
    for row in rows:
        yield row


async def written(kind: Kind, *rows: Line) -> bytes:
    answer = (await exports.write(kind, ["甲", "乙"], lines(*rows))).answer("案件")
    assert answer.headers["cache-control"] == "no-store"
    chunks = [chunk async for chunk in answer.body_iterator]  # type: ignore[attr-defined]
    return b"".join(chunks)


async def test_in_a_csv_an_apostrophe_stands_before_what_could_be_a_formula() -> None:
    content = await written("csv", EVIL, PLAIN)
    head, evil, plain = csv.reader(io.StringIO(content.decode("utf-8-sig"), newline=""))
    assert head == ["甲", "乙"]
    assert evil == [f"'{text}" for text in EVIL]
    assert plain == ["刘艳", "7", "-5.25", "2026-11-23", "2026-11-23 12:00", ""]


async def test_in_a_workbook_every_text_is_a_text() -> None:
    sheet = openpyxl.load_workbook(io.BytesIO(await written("xlsx", EVIL, PLAIN))).active
    cells = next(iter(sheet.iter_rows(min_row=2, max_row=2)))
    assert [cell.data_type for cell in cells] == ["s"] * len(EVIL)
    assert cells[0].value == "=1+1"
    assert [cell.value for cell in next(iter(sheet.iter_rows(min_row=3, max_row=3)))][1:3] == [7, -5.25]


async def test_a_file_too_long_is_cut_and_says_so() -> None:
    rows = (await written("csv", *[("x",)] * (exports.MOST + 3))).decode("utf-8-sig").splitlines()
    assert (len(rows), rows[-1]) == (exports.MOST + 2, exports.CUT)
