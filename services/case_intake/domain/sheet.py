"""A case system's export: one row per party, read into the rows of each case."""

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from pydantic import BaseModel, Field

from services.case_intake.domain.numbers import CaseNumber
from services.case_intake.domain.texts import FaultyTextError
from services.case_intake.domain.words import COLUMNS, REQUIRED
from shared.contracts.texts import visible

FIELDS = {column: field for field, column in COLUMNS.items()}
_WITHOUT_CASE = 200
"""Rows without a usable case number are worked through so many at a time."""


class SheetRow(BaseModel):
    """A row: the physical line on which it begins (the header is on line 1), and its texts by field.

    `spoilt`: by field why its text is not what was once typed; `columns`: how many the header names; `hidden`: the
    file does not show the row.
    """

    line: int
    texts: dict[str, str]
    cells: int
    columns: int = len(REQUIRED)
    spoilt: dict[str, str] = Field(default_factory=dict)
    hidden: bool = False


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


class Table(BaseModel, frozen=True):
    """A file that could be read: the rows that hold anything."""

    rows: list[SheetRow]

    @property
    def text(self) -> str:
        """The rows as CSV."""
        text = io.StringIO()
        writer = csv.writer(text)
        writer.writerow(COLUMNS.values())
        writer.writerows([row.texts.get(field, "") for field in COLUMNS] for row in self.rows)
        return text.getvalue()


def as_table(told: Sequence[Mapping[str, Any]]) -> Table:
    """From what `read_table` of domain/table.py tells."""
    return Table(rows=[SheetRow(**row) for row in told])


def unhidden(rows: Iterable[SheetRow]) -> list[SheetRow]:
    """The rows as if the file showed them all."""
    return [row.model_copy(update={"hidden": False}) if row.hidden else row for row in rows]


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
        return CaseNumber.parse(visible(row.texts.get("case_number", "")), court).text
    except FaultyTextError:
        return None
