"""An empty workbook for imports whose columns are text, so that no spreadsheet turns long numbers into figures."""

import io

import xlsxwriter

from services.case_intake.domain.words import COLUMNS

_WIDTH = 18
"""Of a column, in characters of the sheet's font."""


def workbook_template() -> bytes:
    """The workbook's bytes: one sheet whose first line names the columns."""
    content = io.BytesIO()
    with xlsxwriter.Workbook(content, {"in_memory": True}) as book:
        sheet, as_text = book.add_worksheet("案件"), book.add_format({"num_format": "@"})
        sheet.set_column(0, len(COLUMNS) - 1, _WIDTH, as_text)
        sheet.write_row(0, 0, COLUMNS.values(), as_text)
    return content.getvalue()
