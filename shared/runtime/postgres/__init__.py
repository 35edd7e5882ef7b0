"""The embedded default's PostgreSQL: a real server as a child that dies with us (design 2)."""

from shared.runtime.postgres.folder import PostgresStartError
from shared.runtime.postgres.keeping import keep_alive
from shared.runtime.postgres.server import EmbeddedPostgres, read_url

__all__ = ["EmbeddedPostgres", "PostgresStartError", "keep_alive", "read_url"]
