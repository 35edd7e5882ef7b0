"""The log's tables, made and migrated by the log itself: its database holds nothing else."""

import asyncpg

from shared.bus.log import BusError

# Each step brings the schema from the version that is its index to the next one; a step is never changed again.
STEPS = (
    """
    CREATE TABLE log (
        single boolean PRIMARY KEY DEFAULT true CHECK (single),
        id uuid NOT NULL DEFAULT gen_random_uuid(),
        version integer NOT NULL
    );
    INSERT INTO log (version) VALUES (0);
    CREATE TABLE partitions (
        topic text NOT NULL,
        partition integer NOT NULL,
        next_offset bigint NOT NULL DEFAULT 0,
        PRIMARY KEY (topic, partition)
    ) WITH (fillfactor = 50);
    CREATE TABLE records (
        topic text NOT NULL,
        partition integer NOT NULL,
        "offset" bigint NOT NULL,
        key bytea NOT NULL,
        headers text NOT NULL,
        value bytea NOT NULL,
        appended_at timestamptz NOT NULL DEFAULT now(),
        PRIMARY KEY (topic, partition, "offset")
    );
    CREATE TABLE members (
        consumer_group text NOT NULL,
        id uuid NOT NULL,
        topics text[] NOT NULL,
        lease_until timestamptz NOT NULL,
        PRIMARY KEY (consumer_group, id)
    ) WITH (fillfactor = 50);
    CREATE TABLE claims (
        consumer_group text NOT NULL,
        topic text NOT NULL,
        partition integer NOT NULL,
        next_offset bigint NOT NULL DEFAULT 0,
        epoch bigint NOT NULL DEFAULT 0,
        holder uuid,
        PRIMARY KEY (consumer_group, topic, partition)
    ) WITH (fillfactor = 50);
    """,
)
Connection = asyncpg.Connection | asyncpg.pool.PoolConnectionProxy
_LOCK = 0x79616E67  # one advisory lock in this database for whoever makes or migrates the tables


async def migrate(connection: Connection) -> None:
    """Bring the tables to this version; BusError when a later version has made them."""
    async with connection.transaction():
        await connection.execute("SELECT pg_advisory_xact_lock($1)", _LOCK)
        version = await _version(connection)
        if version > len(STEPS):
            raise BusError(f"the log's tables are of version {version}; this software knows {len(STEPS)}")
        for step in STEPS[version:]:
            await connection.execute(step)
        await connection.execute("UPDATE log SET version = $1 WHERE version <> $1", len(STEPS))


async def _version(connection: Connection) -> int:
    if await connection.fetchval("SELECT to_regclass('log')") is None:
        return 0
    return int(await connection.fetchval("SELECT version FROM log"))
