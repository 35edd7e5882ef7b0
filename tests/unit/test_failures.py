"""Which failures of the database pass by waiting."""

import asyncpg
import pytest
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from shared.bus.lanes import is_passing as passes_for_lanes
from shared.bus.log import BusUnavailableError
from shared.db.failures import is_away, is_passing
from shared.errors import NotYet, Unavailable


class _PostgresError(Exception):
    def __init__(self, sqlstate: str) -> None:
        super().__init__()
        self.sqlstate = sqlstate


def _state(sqlstate: str) -> DBAPIError:
    return DBAPIError("SELECT", None, _PostgresError(sqlstate))


@pytest.mark.parametrize(
    ("error", "away", "passing"),
    [
        (PoolTimeoutError("QueuePool limit"), True, False),
        (TimeoutError(), True, False),
        (ConnectionRefusedError(111, "refused"), True, False),
        (FileNotFoundError(2, "no such file", "a"), False, False),
        (_state("53300"), True, False),
        (_state("08006"), True, False),
        (_state("57P01"), True, False),
        (asyncpg.TooManyConnectionsError(""), True, False),
        (_state("40P01"), False, True),
        (_state("55P03"), False, True),
        (_state("22003"), False, False),
        (_state("23505"), False, False),
        (Unavailable("x", "y"), False, True),
        (NotYet(), False, False),
        (RuntimeError(), False, False),
    ],
)
def test_a_failure_is_away_or_passing_or_ours(error: Exception, *, away: bool, passing: bool) -> None:
    assert (is_away(error), is_passing(error)) == (away, passing)


def test_a_log_that_is_away_passes_too() -> None:
    assert passes_for_lanes(BusUnavailableError())
