"""What a failure of the database means: it is away, or busy for a moment; anything else is a fault of ours."""

import asyncpg
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from shared.errors import Unavailable

BUSY = frozenset({"40001", "40P01", "55P03"})
"""SQLSTATEs of a transaction that lost to another: serialization, deadlock, a lock not had."""
_AWAY = ("08", "53", "57P")
"""SQLSTATE classes: no connection; no connections, memory or disk left; shutting down or starting up."""


def sqlstate(error: BaseException | None) -> str:
    """The SQLSTATE (SQL standard, PostgreSQL's appendix A) that the failure carries, or nothing."""
    cause = error.orig if isinstance(error, DBAPIError) else error
    return str(getattr(cause, "sqlstate", None) or "")


def is_away(error: BaseException) -> bool:
    """Whether the database cannot be had, or not a connection of it: nothing can be stored, and nothing is lost."""
    match error:
        case PoolTimeoutError():
            return True
        case OSError():  # builtin TimeoutError too; one about a file is a fault of ours
            return error.filename is None
        case asyncpg.InternalClientError():  # a server that dies in mid-answer can leave asyncpg's own state astray
            return True
        case DBAPIError() if error.connection_invalidated:
            return True
        case DBAPIError() | asyncpg.PostgresError():  # the latter while connecting, before anybody wraps it
            return sqlstate(error).startswith(_AWAY)
        case _:
            return False


def is_passing(error: BaseException) -> bool:
    """Whether the same act may well succeed in a moment."""
    return isinstance(error, Unavailable) or (
        isinstance(error, DBAPIError | asyncpg.PostgresError) and sqlstate(error) in BUSY
    )
