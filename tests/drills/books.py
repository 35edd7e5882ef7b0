"""What the databases say afterwards: every event told was handled by every reader, each case's in its order."""

import asyncio
import time
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

import asyncpg

from shared.runtime.postgres import read_url
from shared.runtime.registry import load, service_names

Key = tuple[str, str]
"""Topic and key."""


@dataclass(frozen=True)
class Books:
    """The kit's tables of one service."""

    service: str
    outbox: list[Any]
    lanes: list[Any]
    waiting: int
    quarantined: int
    handled: dict[UUID, Any]
    chains: list[Any]


def read_books(folder: Path) -> list[Books]:
    """Of every service of the product whose data lie in `folder`."""
    return asyncio.run(_read_all(folder))


async def _read_all(folder: Path) -> list[Books]:
    return [await _read(folder, name) for name in service_names()]


async def _read(folder: Path, service: str) -> Books:
    conn = await asyncpg.connect(read_url(folder / "postgres", service).replace("+asyncpg", ""))
    try:
        has_chains = await conn.fetchval("SELECT to_regclass('ledger_entries') IS NOT NULL")
        chains = "SELECT chain_id, position, at FROM ledger_entries ORDER BY chain_id, position"
        return Books(
            service,
            await conn.fetch("SELECT event_id, topic, key, sequence, delivered_at FROM outbox ORDER BY id"),
            await conn.fetch("SELECT topic, key, sequence, state FROM lanes"),
            await conn.fetchval("SELECT count(*) FROM lane_events"),
            await conn.fetchval("SELECT count(*) FROM quarantine"),
            {row["event_id"]: row["handled_at"] for row in await conn.fetch("SELECT event_id, handled_at FROM inbox")},
            await conn.fetch(chains) if has_chains else [],
        )
    finally:
        await conn.close()


def faults_left(folder: Path, seconds: float = 60) -> list[str]:
    """The faults that are still there after so long; empty as soon as there is none."""
    deadline = time.monotonic() + seconds
    while (found := faults(read_books(folder))) and time.monotonic() < deadline:
        time.sleep(0.5)
    return found[:20]


def faults(books: list[Books]) -> list[str]:
    """Everything that is not as it must be once all is at rest; empty when all is well."""
    last = {(row["topic"], row["key"]): row["sequence"] for book in books for row in book.outbox}
    return [fault for book in books for fault in (*_told(book), *_read_up(book, last), *_in_order(book, books))]


def _told(book: Books) -> Iterator[str]:
    """Every event is in the log, and a key's sequence has no gap."""
    expected: dict[Key, int] = defaultdict(int)
    for row in book.outbox:
        key = (row["topic"], row["key"])
        expected[key] += 1
        if row["delivered_at"] is None:
            yield f"{book.service} has not told {key} {row['sequence']}"
        if row["sequence"] != expected[key]:
            yield f"{book.service}: {row['sequence']} of {key} stands where {expected[key]} should"


def _read_up(book: Books, last: dict[Key, int]) -> Iterator[str]:
    """Every key told was read to its last event by whoever reads the topic; nothing waits, is parked or put aside."""
    if book.waiting or book.quarantined:
        yield f"{book.service}: {book.waiting} wait, {book.quarantined} in quarantine"
    lanes = {(row["topic"], row["key"]): row for row in book.lanes}
    topics = {event.topic for event in load(book.service).handlers}
    for key, sequence in last.items():
        if key[0] in topics and (key not in lanes or lanes[key]["sequence"] != sequence):
            yield f"{book.service} has read {key} to {lanes[key]['sequence'] if key in lanes else 0} of {sequence}"
    for row in book.lanes:
        if row["state"] != "open":
            yield f"{book.service}: {row['topic']} {row['key']} is {row['state']}"


def _in_order(book: Books, tellers: list[Books]) -> Iterator[str]:
    """By the instants of the inbox, which nothing else goes by: a key's events were handled in their sequence."""
    latest: dict[Key, Any] = {}
    for row in (row for teller in tellers for row in teller.outbox):
        handled_at, key = book.handled.get(row["event_id"]), (row["topic"], row["key"])
        if handled_at is None:
            continue  # no handler for this type
        if key in latest and handled_at <= latest[key]:
            yield f"{book.service} handled {row['sequence']} of {key} too early"
        latest[key] = handled_at
    positions: dict[str, int] = defaultdict(int)
    for entry in book.chains:
        positions[entry["chain_id"]] += 1
        if entry["position"] != positions[entry["chain_id"]]:
            yield f"{book.service}: a gap in the chain {entry['chain_id']} before {entry['position']}"
