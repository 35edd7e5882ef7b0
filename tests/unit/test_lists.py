"""Cursors of sorted lists come back as they were, and only to the list and the order that gave them."""

from collections import namedtuple
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import Column, DateTime, MetaData, String, Table, Uuid, select

from shared.db.lists import Sorting
from shared.errors import Invalid

NOW = datetime(2026, 11, 23, 4, tzinfo=UTC)
TASKS = Table("tasks", MetaData(), Column("id", Uuid), Column("due_at", DateTime(True)), Column("number", String))
SORTING = Sorting({"due": TASKS.c.due_at, "number": TASKS.c.number}, TASKS.c.id, "due")
Task = namedtuple("Task", "id due_at number")


def asked(sort: str, cursor: str | None) -> tuple[str, set[Any]]:
    compiled = SORTING.page(select(TASKS.c.id), sort, cursor, 1).compile()
    return str(compiled), set(compiled.params.values())


@pytest.mark.parametrize(("sort", "column"), [("due", "due_at"), ("-due", "due_at"), ("number", "number")])
@pytest.mark.parametrize("empty", [True, False])
def test_a_cursor_comes_back_as_it_was(sort: str, column: str, *, empty: bool) -> None:
    row = Task(uuid4(), NOW, "（2026）渝05执1号")
    if empty:
        row = row._replace(**{column: None})
    rows: Any = [row, row]
    cursor = SORTING.next(rows, sort, 1)
    assert cursor
    _, values = asked(sort, cursor)
    assert {row.id, *([] if empty else [getattr(row, column)])} <= values
    assert SORTING.next(rows, sort, 2) is None, "nothing follows the last page"


def test_without_a_cursor_a_list_begins_at_its_first_row() -> None:
    for nothing in ("", None):
        assert "WHERE" not in asked("due", nothing)[0]


def test_what_no_list_gave_is_refused() -> None:
    rows: Any = [Task(uuid4(), NOW, "x")] * 2
    for bad in ("x", "案", "AAAA", "YWJj|", SORTING.next(rows, "-due", 1), SORTING.next(rows, "number", 1)):
        with pytest.raises(Invalid):
            asked("due", bad)
