"""Columns of case numbers, searched with what people type."""

from typing import Any

from sqlalchemy import ColumnElement, or_

from shared.contracts.case_number import spellings


def is_number(column: ColumnElement[Any], typed: str) -> ColumnElement[bool]:
    """The column is this case number, in whichever form it is on record."""
    return column.in_(spellings(typed))


def holds_number(column: ColumnElement[Any], typed: str) -> ColumnElement[bool]:
    """The column begins with what was typed when that begins with a bracket, else it holds it somewhere."""
    forms = spellings(typed)
    matches = column.startswith if forms[1].startswith("(") else column.contains
    return or_(*(matches(form, autoescape=True) for form in dict.fromkeys(forms)))
