"""One role and one database per name, closed to everybody else."""

from collections.abc import Mapping

import asyncpg

from shared.runtime.postgres.folder import SUPERUSER, Credentials

_SYSTEM_DATABASES = ("postgres", "template1")
_ATTRIBUTES = "LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS"


async def provision(credentials: Credentials) -> None:
    """Connect, and return when every role and database of `credentials` is there; asyncpg's errors pass."""
    connection = await asyncpg.connect(
        host="127.0.0.1",
        port=credentials.port,
        user=SUPERUSER,
        password=credentials.passwords[SUPERUSER],
        database="postgres",
        ssl=False,
        timeout=30,
    )
    roles = {name: word for name, word in credentials.passwords.items() if name != SUPERUSER}
    try:
        await _set_roles(connection, roles)
        await _create_databases(connection, roles)
        await _close_to_public(connection, (*_SYSTEM_DATABASES, *roles))
    finally:
        await connection.close()


async def _run(connection: asyncpg.Connection, template: str, *values: str) -> None:
    """Fill names (%I) and literals (%L) on the server, which knows how to quote them, and run the outcome."""
    marks = ", ".join(f"${number}::text" for number in range(2, len(values) + 2))
    statement = await connection.fetchval(f"SELECT format($1, {marks})", template, *values)
    await connection.execute(statement)


async def _set_roles(connection: asyncpg.Connection, roles: Mapping[str, str]) -> None:
    """Set the stored password each time, so that a crash between the file and the server heals itself."""
    existing = {row["rolname"] for row in await connection.fetch("SELECT rolname FROM pg_roles")}
    async with connection.transaction():
        for name, word in roles.items():
            verb = "ALTER" if name in existing else "CREATE"
            await _run(connection, f"{verb} ROLE %I {_ATTRIBUTES} PASSWORD %L", name, word)


async def _create_databases(connection: asyncpg.Connection, names: Mapping[str, str]) -> None:
    existing = {row["datname"] for row in await connection.fetch("SELECT datname FROM pg_database")}
    for name in names:
        if name not in existing:
            await _run(connection, "CREATE DATABASE %I OWNER %I", name, name)


async def _close_to_public(connection: asyncpg.Connection, names: tuple[str, ...]) -> None:
    async with connection.transaction():
        for name in names:
            await _run(connection, "REVOKE ALL ON DATABASE %I FROM PUBLIC", name)
