"""The HTTP client for carriers, and the phase of a request as its transport records it.

httpx over aiohttp maps exceptions so that a reset after the request looks like a failed connection; so nothing here
reads exception classes. A trace hook marks the moment a connection is handed to the request, before its first byte.
"""

import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from types import SimpleNamespace

import aiohttp
import httpx
from httpx_aiohttp import AiohttpTransport

from shared.http.outgoing import outgoing_client

CONNECTIONS = 32
IDLE_SECONDS = 3.0  # shorter than what servers keep (often 5), so that few requests meet a connection just being closed


@dataclass
class Phase:
    """How far the present request has come."""

    may_have_left: bool = False


_phase: ContextVar[Phase | None] = ContextVar("phase", default=None)


@contextmanager
def recorded() -> Iterator[Phase]:
    """A phase of its own for the one request made inside."""
    phase = Phase()
    token = _phase.set(phase)
    try:
        yield phase
    finally:
        _phase.reset(token)


def sms_client(timeout: float, tls: ssl.SSLContext | None = None) -> httpx.AsyncClient:
    """A client whose requests are recorded; `timeout` seconds bound each connect and read. Close it with aclose()."""
    context = tls or httpx.create_ssl_context()
    transport = AiohttpTransport(verify=context, client=lambda: _session(context))
    return outgoing_client(timeout, transport=transport)


def _session(context: ssl.SSLContext) -> aiohttp.ClientSession:
    connector = aiohttp.TCPConnector(limit=CONNECTIONS, keepalive_timeout=IDLE_SECONDS, ssl=context)
    return aiohttp.ClientSession(
        connector=connector,
        cookie_jar=aiohttp.DummyCookieJar(),
        trace_configs=[_trace()],
    )


def _trace() -> aiohttp.TraceConfig:
    trace = aiohttp.TraceConfig()
    trace.on_connection_create_end.append(_acquired)
    trace.on_connection_reuseconn.append(_acquired)
    return trace


async def _acquired(_session: aiohttp.ClientSession, _context: SimpleNamespace, _params: object) -> None:
    phase = _phase.get()
    if phase is not None:
        phase.may_have_left = True
