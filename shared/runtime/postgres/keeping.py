"""Keeps the server alive for as long as its owner lives: everybody's work waits for it."""

import asyncio
import logging

from shared.runtime.postgres.folder import PostgresStartError
from shared.runtime.postgres.server import EmbeddedPostgres

log = logging.getLogger(__name__)

_EVERY = 1.0  # seconds


async def keep_alive(server: EmbeddedPostgres) -> None:
    """Start a server that has died anew, for ever; one that does not come back is tried again."""
    while True:
        await asyncio.sleep(_EVERY)
        try:
            if await asyncio.to_thread(server.revive):
                log.error("the database had died and was started anew")
        except (PostgresStartError, OSError) as error:  # no memory for a child, say: whoever works waits, and so do we
            log.warning("the database has died and does not start", extra={"error": type(error).__name__})
