"""What every test may ask for: a real PostgreSQL server for the session, and fresh databases in it."""

import secrets
import shutil
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path

import asyncpg
import pytest

from shared.runtime.postgres import EmbeddedPostgres
from shared.runtime.postgres.folder import SUPERUSER

FreshDatabase = Callable[[], Awaitable[str]]


@pytest.fixture(scope="session")
def postgres() -> Iterator[EmbeddedPostgres]:
    """A server in a folder of its own, outside the home folder since as root it runs as `nobody`."""
    folder = Path(tempfile.mkdtemp(prefix="yangguang-"))
    folder.chmod(0o755)
    server = EmbeddedPostgres(folder / "postgres", ["bus"])
    server.start()
    yield server
    server.stop()
    shutil.rmtree(folder)


@pytest.fixture(scope="session")
def bus_url(postgres: EmbeddedPostgres) -> str:
    """The URL of the session's database for the event log; tests tell themselves apart by their topics."""
    return postgres.url("bus")


@pytest.fixture
async def fresh_database(postgres: EmbeddedPostgres) -> AsyncIterator[FreshDatabase]:
    """Call it for the URL of a new, empty database with an owner of its own; dropped after the test."""
    credentials = postgres._credentials
    made: list[str] = []
    superuser = await asyncpg.connect(
        host="127.0.0.1",
        port=credentials.port,
        user=SUPERUSER,
        password=credentials.passwords[SUPERUSER],
        database="postgres",
    )

    async def make() -> str:
        name = f"fresh_{secrets.token_hex(8)}"
        await superuser.execute(f"CREATE ROLE {name} LOGIN PASSWORD '{name}'")
        await superuser.execute(f"CREATE DATABASE {name} OWNER {name}")
        made.append(name)
        return f"postgresql+asyncpg://{name}:{name}@127.0.0.1:{credentials.port}/{name}"

    yield make
    for name in made:
        await superuser.execute(f"DROP DATABASE {name} WITH (FORCE)")
        await superuser.execute(f"DROP ROLE {name}")
    await superuser.close()
