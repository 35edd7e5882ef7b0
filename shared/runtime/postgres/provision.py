"""One database per name with three roles of its own (shared/db/access.py), closed to everybody else."""

from collections.abc import Mapping, Sequence

import asyncpg

from shared.db.access import Part
from shared.runtime.postgres.folder import SUPERUSER, Credentials

_SYSTEM_DATABASES = ("postgres", "template1")
_ATTRIBUTES = "LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS"


async def provision(credentials: Credentials, databases: Sequence[str]) -> None:
    """Connect, and return when every role and database is there; asyncpg's errors pass."""
    connection = await _connect(credentials, "postgres")
    roles = {name: word for name, word in credentials.passwords.items() if name != SUPERUSER}
    try:
        await _set_roles(connection, roles)
        for database, owner in (await _create_databases(connection, databases)).items():
            await _hand_over(credentials, database, owner)
        await _close_to_others(connection, databases)  # last: what a former owner was granted passes to the new one
    finally:
        await connection.close()


async def _connect(credentials: Credentials, database: str) -> asyncpg.Connection:
    return await asyncpg.connect(
        host="127.0.0.1",
        port=credentials.port,
        user=SUPERUSER,
        password=credentials.passwords[SUPERUSER],
        database=database,
        ssl=False,
        timeout=30,
    )


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


async def _create_databases(connection: asyncpg.Connection, names: Sequence[str]) -> dict[str, str]:
    """Make what is missing; of what is there and is not its owner's: by name, whose it is."""
    rows = await connection.fetch("SELECT datname, pg_get_userbyid(datdba) AS owner FROM pg_database")
    owners = {row["datname"]: row["owner"] for row in rows}
    for name in names:
        if name not in owners:
            await _run(connection, "CREATE DATABASE %I OWNER %I", name, Part.OWNER.role(name))
    return {name: owners[name] for name in names if owners.get(name, Part.OWNER.role(name)) != Part.OWNER.role(name)}


async def _hand_over(credentials: Credentials, database: str, owner: str) -> None:
    """An older build ran its services as the owner: the database and all that is in it get an owner apart."""
    connection = await _connect(credentials, database)
    try:
        await _run(connection, "REASSIGN OWNED BY %I TO %I", owner, Part.OWNER.role(database))
    finally:
        await connection.close()


async def _close_to_others(connection: asyncpg.Connection, names: Sequence[str]) -> None:
    async with connection.transaction():
        for name in (*_SYSTEM_DATABASES, *names):
            await _run(connection, "REVOKE ALL ON DATABASE %I FROM PUBLIC", name)
        for name in names:
            roles = (Part.SERVICE.role(name), Part.PUBLIC.role(name))
            await _run(connection, "GRANT CONNECT ON DATABASE %I TO %I, %I", name, *roles)
