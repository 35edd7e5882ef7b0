"""Whether a sign-in still stands: asked of the service's own projection, at most every two seconds, when one calls."""

import math
import time
from collections.abc import Awaitable, Callable

from shared.db.revocations import Revoked
from shared.errors import Unauthenticated
from shared.http.auth import Caller

FRESH = 2.0
"""Seconds. With the way of the event, what is taken back is worth nothing anywhere within five."""


class Access:
    """What one process knows of it."""

    def __init__(self, load: Callable[[], Awaitable[Revoked]], clock: Callable[[], float] = time.monotonic) -> None:
        self._load = load
        self._clock = clock
        self._known = Revoked()
        self._at = -math.inf

    async def check(self, caller: Caller) -> None:
        """Raises Unauthenticated for whom sign-in was taken back."""
        if self._clock() - self._at >= FRESH:
            at = self._clock()
            self._known = await self._load()
            self._at = at
        if self._known.covers(caller.staff_id, caller.session, caller.born):
            raise Unauthenticated("signed_out", "登录已退出或被收回，请重新登录。")
