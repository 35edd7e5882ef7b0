"""How much one source may ask of what anybody may call. A source that asks more waits; no other notices.

Counted in this process alone, before the request's body is read: it is here that a flood must cost nothing. What must
be exact (tries, tips) is counted in the database besides. A device from which somebody has signed in counts by itself:
whoever floods from behind the same address keeps no colleague out.
"""

import ipaddress
import math
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

from fastapi.routing import APIRoute
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from shared.errors import TooMany
from shared.http import sources
from shared.http.bodies import refuse_longer, up_to
from shared.http.problems import problem

_SOURCES = 20_000
"""Remembered at once; of more, those that asked least lately are forgotten."""


@dataclass(frozen=True)
class Limit:
    """`at_once` requests, and from then on one every `every` seconds."""

    at_once: int
    every: float


RETRIES = 5
"""How often an answer that was given to an idempotency key is given again without being counted."""
_REFUSED = 400
"""The first status of a request that was not done."""
LOOKS = Limit(300, 0.2)
"""Pages and questions."""
ACTS = Limit(60, 1.0)
"""What writes, or tries a secret."""
DOOR = Limit(30, 2.0)
"""Sign-in: each costs a hash. A whole floor of a court behind one address still gets in of a morning."""
MACHINES = Limit(1000, 0.01)
"""Callbacks of a carrier, from few addresses in large numbers."""
FRONT = Limit(3000, 0.005)
"""Static files, documentation and health: cheap answers, of which a page asks for a dozen."""
OUTSIDE = Limit(1_000_000, 0.000_001)
"""The sandbox stands for the outside world; where real people are it does not run."""


def source_of(host: str) -> str:
    """What counts as one source: an IPv4 address, or the IPv6 network of one household (/64)."""
    try:
        address = ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return host
    if isinstance(address, ipaddress.IPv6Address):
        return str(address.ipv4_mapped or ipaddress.ip_network((address, 64), strict=False))
    return str(address)


def source(request: Request) -> str:
    """The source of a request; behind a gateway that is trusted, the one that it names."""
    return source_of(request.client.host if request.client else "")


def counted(request: Request) -> str:
    """By what a request is counted: its device, if the mark proves that somebody signed in there; else its source."""
    mark = sources.device(request) if request.app.state.inner else None
    known = mark is not None and sources.is_handed_over(request.app.state.kit.exchange, mark)
    return f"device {mark}" if known else source(request)


class Limiter:
    """Remembers for each route and source when it will have waited enough."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._paid: OrderedDict[tuple[str, str], float] = OrderedDict()
        self._answered: OrderedDict[tuple[str, str, str], int] = OrderedDict()

    def wait(self, route: str, source: str, limit: Limit) -> float:
        """Count one request: 0, or the seconds for which this source must wait; that one is not counted."""
        now = self._clock()
        paid = max(now, self._paid.get((route, source), now)) + limit.every
        over = paid - now - limit.at_once * limit.every
        if over > 1e-6:
            return over
        self._paid[route, source] = paid
        self._paid.move_to_end((route, source))
        if len(self._paid) > _SOURCES:
            self._paid.popitem(last=False)
        return 0.0

    def answered(self, route: str, source: str, key: str) -> None:
        """A request with this idempotency key was answered: the same sent again does nothing more."""
        self._answered.setdefault((route, source, key), RETRIES)
        if len(self._answered) > _SOURCES:
            self._answered.popitem(last=False)

    def is_retry(self, route: str, source: str, key: str) -> bool:
        """Whether a request only asks for an old answer: uncounted, but not for ever, or it were a way round."""
        left = self._answered.get((route, source, key), 0)
        if left:
            self._answered[route, source, key] = left - 1
        return left > 0


def _too_many(wait: float) -> TooMany:
    text = "您的请求过于频繁，请稍后再试。如情况紧急，请直接拨打电话。"
    return TooMany("too_many_requests", text, math.ceil(wait))


class _Bounded(APIRoute):
    """A route with a bound on what a request brings, and where anybody may call it, on how often."""

    limit: Limit | None
    most: int

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Refuse a source that asks too much before reading what it asks, and what is too long while reading it."""
        request = Request(scope)
        if self.limit is not None:
            send = self._counted(request, self.limit, send)
        refuse_longer(request.headers, self.most)
        await super().handle(scope, up_to(receive, self.most), send)

    def _counted(self, request: Request, limit: Limit, send: Send) -> Send:
        """Count the request, unless it only asks for an old answer; what sends its answer. Raises TooMany."""
        limiter, by = request.app.state.limiter, counted(request)
        key = request.headers.get("idempotency-key", "")[:200]
        if not (key and limiter.is_retry(self.unique_id, by, key)):
            wait = limiter.wait(self.unique_id, by, limit)
            if wait:
                raise _too_many(wait)

        async def noting(message: Message) -> None:
            if message["type"] == "http.response.start" and message["status"] < _REFUSED:
                limiter.answered(self.unique_id, by, key)
            await send(message)

        return noting if key else send


def bounded(limit: Limit | None, most: int) -> type[APIRoute]:
    """The class of the routes that take so many requests from a source, and so many bytes of each."""
    return type("BoundedRoute", (_Bounded,), {"limit": limit, "most": most})


class Paced:
    """What stands before the services under its own paths, under one limit for all of it."""

    def __init__(self, app: ASGIApp, limit: Limit = FRONT) -> None:
        self._app = app
        self._limiter = Limiter()
        self._limit = limit

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, or refuse a source that asks too much."""
        wait = self._limiter.wait("", source(Request(scope)), self._limit) if scope["type"] == "http" else 0.0
        app = problem(_too_many(wait), scope["path"]) if wait else self._app
        await app(scope, receive, send)
