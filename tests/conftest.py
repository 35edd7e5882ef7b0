"""What every test may ask for: a real PostgreSQL server for the session, and fresh databases in it."""

import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from shared.db.access import Part
from shared.runtime.postgres import EmbeddedPostgres
from tests.fixtures.databases import FreshDatabase, fresh_databases

_PLENTY = 8 * 2**30
HASTY = {"fsync": "off", "full_page_writes": "off", "max_wal_size": "256MB"}
"""Databases are made and dropped by the thousand here; the drills watch what lasts, on servers as shipped."""


def _in_memory() -> Path | None:
    """A folder that lies in memory, where the machine has plenty; None for the usual one, on disk."""
    memory = Path("/dev/shm")  # noqa: S108 (in it a folder with a random name is made)
    plenty = memory.is_dir() and shutil.disk_usage(memory).free > _PLENTY
    return memory if plenty else None


@pytest.fixture(scope="session")
def postgres() -> Iterator[EmbeddedPostgres]:
    """A server in a folder of its own, outside the home folder since as root it runs as `nobody`."""
    folder = Path(tempfile.mkdtemp(prefix="yangguang-", dir=_in_memory()))
    folder.chmod(0o755)
    server = EmbeddedPostgres(folder / "postgres", ["bus"], settings=HASTY)
    server.start()
    yield server
    server.stop()
    shutil.rmtree(folder)


@pytest.fixture(scope="session")
def bus_url(postgres: EmbeddedPostgres) -> str:
    """The URL of the session's database for the event log; tests tell themselves apart by their topics."""
    return postgres.url("bus", Part.OWNER)


@pytest.fixture
async def fresh_database(postgres: EmbeddedPostgres) -> AsyncIterator[FreshDatabase]:
    """Call it for the URL of a new database, empty or with a service's tables; dropped after the test."""
    async with fresh_databases(postgres) as make:
        yield make
