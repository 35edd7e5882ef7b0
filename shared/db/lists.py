"""One way to sort a list and to go through it page by page: by a column, then by the row's key; empty values last."""

import base64
import binascii
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Row, Select, and_, or_
from sqlalchemy.ext.asyncio import AsyncConnection

from shared.errors import Fault, Invalid

Value = str | int | Decimal | date | datetime | UUID | None
_READ = {
    str: str,
    int: int,
    Decimal: Decimal,
    date: date.fromisoformat,
    datetime: datetime.fromisoformat,
    UUID: UUID,
}


@dataclass(frozen=True)
class Place:
    """Where a page ended: the last row's value in the sorted column, and its key."""

    value: Value
    key: UUID | int


PAGE = 50
"""Rows of a page, where nothing else is asked for."""


@dataclass(frozen=True)
class Part:
    """Which part of a list: in which order, from where on, how many rows. Without `sort` in the list's own order."""

    sort: str = ""
    cursor: str | None = None
    limit: int = PAGE


@dataclass(frozen=True)
class Sorting:
    """The columns that a list can be sorted by, by the names that stand in the URL; `-name` is downwards.

    `key` tells rows of one value apart. Rows carry each column under its own name, or under its label.
    """

    columns: Mapping[str, ColumnElement[Any]]
    key: ColumnElement[Any]
    default: str

    def chosen(self, sort: str | None) -> str:
        """What was asked for, or the default when there is no such order."""
        return sort if sort and sort.removeprefix("-") in self.columns else self.default

    async def part(self, conn: AsyncConnection, query: Select[Any], part: Part) -> tuple[list[Row[Any]], str | None]:
        """The rows of a part, and where the list goes on. Raises Invalid for a cursor of another list or order."""
        sort = self.chosen(part.sort)
        rows = list(await conn.execute(self.page(query, sort, part.cursor, part.limit)))
        return rows[: part.limit], self.next(rows, sort, part.limit)

    def page(self, query: Select[Any], sort: str, cursor: str | None, limit: int) -> Select[Any]:
        """The query in this order beyond the cursor; one row more than `limit` tells whether there are more.

        Raises Invalid for a cursor of another list or order.
        """
        column, down = self.columns[sort.removeprefix("-")], sort.startswith("-")
        if cursor:
            query = query.where(self._beyond(column, self._read(sort, cursor), down=down))
        order = (column.desc() if down else column.asc()).nulls_last()
        return query.order_by(order, self.key.desc() if down else self.key.asc()).limit(limit + 1)

    def _beyond(self, column: ColumnElement[Any], place: Place, *, down: bool) -> ColumnElement[bool]:
        after = self.key < place.key if down else self.key > place.key
        if place.value is None:
            return and_(column.is_(None), after)
        further = column < place.value if down else column > place.value
        return or_(further, and_(column == place.value, after), column.is_(None))

    def next(self, rows: Sequence[Row[Any]], sort: str, limit: int) -> str | None:
        """The cursor behind the last of `limit` rows, when there are more."""
        if len(rows) <= limit:
            return None
        last = rows[limit - 1]
        value, key = getattr(last, _name(self.columns[sort.removeprefix("-")])), getattr(last, _name(self.key))
        text = None if value is None else value.isoformat() if isinstance(value, date) else str(value)
        raw = json.dumps([sort, text, str(key)], ensure_ascii=False, separators=(",", ":"))
        return base64.urlsafe_b64encode(raw.encode()).decode().rstrip("=")

    def _read(self, sort: str, cursor: str) -> Place:
        column = self.columns[sort.removeprefix("-")]
        try:
            raw = base64.urlsafe_b64decode(cursor.encode("ascii") + b"=" * (-len(cursor) % 4))
            value, key = _of_order(json.loads(raw), sort)
            return Place(None if value is None else _typed(column, value), _typed(self.key, key))
        except (ValueError, TypeError, binascii.Error, RecursionError, InvalidOperation, OverflowError):
            raise Invalid([Fault("cursor", "翻页标记无效，请从第一页重新开始。")]) from None


def readable(column: ColumnElement[Any]) -> bool:
    """Whether a cursor can hold the column's values."""
    return column.type.python_type in _READ


def _of_order(told: Any, sort: str) -> tuple[str | None, str]:
    order, value, key = told
    if order != sort or not isinstance(value, str | None):
        raise ValueError("a cursor of another order")
    return value, key


def _name(column: ColumnElement[Any]) -> str:
    return str(column.name)


def _typed(column: ColumnElement[Any], text: str) -> Any:
    kind = column.type.python_type
    value = _READ[kind](text)  # type: ignore[operator]
    if isinstance(value, datetime) and value.tzinfo is None:
        raise ValueError("an instant without a zone")
    if isinstance(value, int) and not -(2**63) <= value < 2**63:
        raise ValueError("beyond any key")
    if isinstance(value, str) and "\x00" in value:
        raise ValueError("no text of the database")
    if isinstance(value, Decimal) and not value.is_finite():
        raise ValueError("no amount")
    return value
