"""The embedded default's event log: tables in a PostgreSQL database of their own (design 2)."""

from shared.bus.postgres.log import PostgresLog

__all__ = ["PostgresLog"]
