"""Hands a request on to another process over HTTP, byte by byte: what the real gateway does outside."""

import logging
from collections.abc import AsyncIterator, Sequence

import httpx
from starlette.background import BackgroundTask
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response, StreamingResponse
from starlette.types import Receive, Scope, Send

from shared.errors import Unavailable
from shared.http.outgoing import outgoing_client
from shared.http.problems import Answer

log = logging.getLogger(__name__)

_HOP = frozenset({
    b"connection", b"keep-alive", b"proxy-authenticate", b"proxy-authorization", b"te", b"trailer",
    b"transfer-encoding", b"upgrade",
})  # fmt: skip
"""Header fields that belong to one connection (RFC 9110, 7.6.1)."""
_CLIENTS_WORD = frozenset({b"x-forwarded-for", b"x-forwarded-proto", b"forwarded"})
"""What a client says of itself on the way here is not believed."""


class Forward:
    """An ASGI application that is another process, or several alike, in turn.

    Streams live for as long as both sides want them. A process that refuses the connection has got nothing: the next
    one is asked. `refused` answers when none is there.
    """

    def __init__(self, client: httpx.AsyncClient, upstreams: Sequence[str], refused: Answer) -> None:
        self._client = client
        self._upstreams = [httpx.URL(url) for url in upstreams]
        self._refused = refused
        self._turn = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on one request and its answer; a process that is away is 503, in the words of every refusal."""
        request = Request(scope, receive)
        try:
            answer = await self._ask(request)
        except ClientDisconnect:
            return
        except httpx.HTTPError as error:
            log.warning("process away", extra={"error": type(error).__name__, "port": self._upstreams[0].port})
            answer = self._away(request)
        await answer(scope, receive, send)

    async def _ask(self, request: Request) -> Response:
        content = request.stream() if _has_body(request) else None
        for left in reversed(range(len(self._upstreams))):
            self._turn = (self._turn + 1) % len(self._upstreams)
            url = self._upstreams[self._turn].copy_with(raw_path=_target(request))
            onward = self._client.build_request(request.method, url, headers=_onward(request), content=content)
            try:
                return _passed(await self._client.send(onward, stream=True))
            except httpx.ConnectError:
                if not left:
                    raise
        raise ValueError("a forward needs an upstream")

    def _away(self, request: Request) -> Response:
        away = Unavailable("process_away", "系统的这一部分正在重新启动，请过一分钟再试。已经保存的内容不受影响。")
        answer = self._refused(request, away)
        answer.headers["Retry-After"] = "60"
        return answer


def _passed(answer: httpx.Response) -> Response:
    passed = StreamingResponse(_raw(answer), answer.status_code, background=BackgroundTask(answer.aclose))
    passed.raw_headers = [(name.lower(), value) for name, value in answer.headers.raw if name.lower() not in _HOP]
    return passed


def forwarding_client() -> httpx.AsyncClient:
    """A client without a limit on open streams, that waits for answers as long as the browser does."""
    # Idle connections are left well before the processes (uvicorn: 5 s) close them in the middle of a request.
    limits = httpx.Limits(max_connections=None, max_keepalive_connections=50, keepalive_expiry=2.0)
    return outgoing_client(httpx.Timeout(None, connect=3.0), limits=limits)


def _target(request: Request) -> bytes:
    """Path and query as the client wrote them."""
    path: bytes = request.scope.get("raw_path") or request.scope["path"].encode()
    query: bytes = request.scope["query_string"]
    return path + b"?" + query if query else path


def _has_body(request: Request) -> bool:
    return "content-length" in request.headers or "transfer-encoding" in request.headers


def _onward(request: Request) -> list[tuple[bytes, bytes]]:
    kept = [(name, value) for name, value in request.headers.raw if name not in _HOP | _CLIENTS_WORD]
    source = request.client.host if request.client else ""
    return [*kept, (b"x-forwarded-for", source.encode()), (b"x-forwarded-proto", request.url.scheme.encode())]


async def _raw(answer: httpx.Response) -> AsyncIterator[bytes]:
    """The bytes as they came: compressed ones stay so. A process that dies half-way ends the answer early."""
    async for piece in answer.aiter_raw():
        yield piece
