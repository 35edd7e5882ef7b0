"""Works through what is due, row by row, and skips what is stuck: one failing row holds up no other."""

import logging
from collections.abc import Awaitable, Callable, Mapping
from typing import TypeVar

from shared.db.failures import is_away
from shared.db.transaction import Database, Transaction
from shared.http.problems import log_unexpected

log = logging.getLogger(__name__)

R = TypeVar("R")


async def work_through(
    db: Database,
    claim: Callable[[Transaction, R | None], Awaitable[R | None]],
    do: Callable[[Transaction, R], Awaitable[None]],
    about: Callable[[R], Mapping[str, object]],
    at_most: int = 500,
) -> int:
    """Claim and do one row after another, a transaction each, until none is left or `at_most` were tried.

    Answers how many were done. `claim` is handed the last row that failed, and goes on behind it in its own order;
    `about` names a row in the log, by ids alone.
    Raises ExceptionGroup of all failures at the end, so that somebody looks at them; a database that is away, at once.
    """
    stuck: R | None = None
    errors: list[Exception] = []
    done = 0
    while done + len(errors) < at_most:
        row = None
        try:
            async with db.begin() as tx:
                row = await claim(tx, stuck)
                if row is None:
                    break
                await do(tx, row)
            done += 1
        except Exception as error:
            if row is None or is_away(error):
                raise
            log.warning("a row was skipped", extra=dict(about(row)))
            log_unexpected(error)
            stuck = row
            errors.append(error)
    if errors:
        raise ExceptionGroup("rows that could not be worked off", errors)
    return done
