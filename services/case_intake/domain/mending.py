"""Cells of an uploaded table that the clerk corrects before it is filed."""

from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum

from pydantic import BaseModel

from services.case_intake.domain.cells import ROUNDED, SCIENTIFIC
from services.case_intake.domain.sheet import SheetRow
from services.case_intake.domain.words import COLUMNS

MAX_CELL = 5000
"""Characters."""


class HiddenRows(StrEnum):
    """What becomes of the rows that a file hides."""

    LEAVE = "leave"
    INCLUDE = "include"


class Mend(BaseModel, frozen=True):
    """Another text for the cell of a line."""

    line: int
    field: str
    text: str

    @property
    def place(self) -> str:
        """The cell, as a form names it."""
        return f"{self.line}.{self.field}"


class Mends(BaseModel):
    """Everything that was corrected; of one cell the last holds. `numbers`: far case numbers that are right.

    `hidden`: what is to become of the rows that the file hides; None as long as nobody has said.
    """

    items: list[Mend] = []
    numbers: list[str] = []
    hidden: HiddenRows | None = None


def mended(rows: Iterable[SheetRow], mends: Sequence[Mend]) -> list[SheetRow]:
    """The rows with the corrections in them."""
    by_line: dict[int, dict[str, str]] = {}
    for mend in mends:
        by_line.setdefault(mend.line, {})[mend.field] = mend.text
    return [_mended(row, by_line[row.line]) if row.line in by_line else row for row in rows]


def _mended(row: SheetRow, texts: Mapping[str, str]) -> SheetRow:
    spoilt = {field: reason for field, reason in row.spoilt.items() if field not in texts}
    return row.model_copy(update={"texts": {**row.texts, **texts}, "spoilt": spoilt})


def new_mends(rows: Sequence[SheetRow], typed: Mapping[str, str]) -> list[Mend]:
    """What a form with fields `cell.<line>.<field>` changes; what was left as it stands is none."""
    by_line = {str(row.line): row for row in rows}
    found = []
    for name, text in typed.items():
        kind, _, place = name.partition(".")
        line, _, field = place.partition(".")
        row = by_line.get(line)
        if kind == "cell" and row is not None and field in COLUMNS and text.strip() != shown(row, field):
            found.append(Mend(line=row.line, field=field, text=text.strip()[:MAX_CELL]))
    return found


def shown(row: SheetRow, field: str) -> str:
    """What the form shows in the cell: of a number that lost digits nothing, so that it is typed anew."""
    return "" if row.spoilt.get(field) in {ROUNDED, SCIENTIFIC} else row.texts.get(field, "")
