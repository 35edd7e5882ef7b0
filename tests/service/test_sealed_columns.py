"""Every column that holds sealed texts is declared, so that new keys reach it; what is left out says why."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import text

from shared.runtime.registry import load, service_names
from tests.fixtures.databases import FreshDatabase
from tests.fixtures.kits import KEYRING
from tests.fixtures.stock import stocked

STAYS = {
    "outbox.value": "events as they were told: kept for 30 days",
    "lane_events.value": "events that wait: kept until their key goes on",
    "quarantine.value": "what could not be read stays as it came",
    "answers.answer": "kept for 30 days",
    "canaries.sealed": "renewed when all rows have followed",
    "ledger_entries.body": "a chain over these very bytes",
}
_SEALED = re.compile(r"\b(?P<key>[a-z0-9][a-z0-9-]{2,31})\.[A-Za-z0-9_-]{38,}")


async def columns(conn: Any) -> list[tuple[str, str, str]]:
    query = """SELECT table_name, column_name, data_type FROM information_schema.columns
               WHERE table_schema = 'public' AND data_type IN ('text', 'jsonb', 'bytea', 'ARRAY')"""
    return [tuple(row) for row in await conn.execute(text(query))]


def sealed_in(value: object) -> Iterator[str]:
    shown = value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)
    yield from (match["key"] for match in _SEALED.finditer(shown) if match["key"] in KEYRING.openers)


@pytest.mark.parametrize("name", service_names())
async def test_every_column_with_sealed_texts_is_declared(fresh_database: FreshDatabase, name: str) -> None:
    service = load(name)
    stock = await stocked(name, await fresh_database(service))
    declared = {f"{each.table.name}.{column}" for each in service.sealed for column in each.columns}
    found: set[str] = set()
    async with stock.kit.db.read() as conn:
        for table, column, _ in await columns(conn):
            query = text(f'SELECT "{column}" FROM "{table}" WHERE "{column}" IS NOT NULL')  # noqa: S608 - our own names
            if any(True for (value,) in await conn.execute(query) for _ in sealed_in(value)):
                found.add(f"{table}.{column}")
    await stock.kit.db.close()
    assert found - declared - set(STAYS) == set()
    assert found & declared or not declared, "the stock shows something"


@pytest.mark.parametrize("name", service_names())
def test_what_is_declared_names_its_own_columns(name: str) -> None:
    for each in load(name).sealed:
        for column, about in each.columns.items():
            assert column in each.table.c
            assert set(re.findall(r"{(\w+)}", about)) <= set(each.table.c.keys())
        assert each.hashes.keys() <= set(each.table.c.keys())
