"""The carrier's HTTP end: outside any middleware, so that it can let a caller wait, or cut the line."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any

from starlette.types import Message, Receive, Scope, Send

from services.sandbox.channels.carrier import CarrierReply, CarrierRequest

MAX_BODY = 1024 * 1024

Handle = Callable[[CarrierRequest], Awaitable[CarrierReply]]


class CarrierLine:
    """An ASGI application that speaks for the carrier."""

    def __init__(self, handle: Handle) -> None:
        self._handle = handle

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one call, however the carrier wants it."""
        body = await _body(receive)
        if body is None:
            await _answer(send, 413, {"Code": "RequestTooLarge", "Message": "请求过大。"})
            return
        headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}
        query = scope["query_string"].decode("latin-1")
        reply = await self._handle(CarrierRequest(scope["method"], query, headers, body))
        if await _hung_up(receive, reply.hold):
            return
        if reply.body is None:
            await _cut(receive, send)
        else:
            await _answer(send, reply.status, reply.body)


async def _body(receive: Receive) -> bytes | None:
    """The whole body, or None when it is too large."""
    chunks: list[bytes] = []
    size = 0
    more = True
    while more:
        message: Message = await receive()
        chunks.append(message.get("body", b""))
        size += len(chunks[-1])
        if size > MAX_BODY:
            return None
        more = message.get("more_body", False)
    return b"".join(chunks)


async def _hung_up(receive: Receive, seconds: float) -> bool:
    """Wait, unless the caller goes before; whether they went."""
    if seconds <= 0:
        return False
    try:
        async with asyncio.timeout(seconds):
            await _until_gone(receive)
    except TimeoutError:
        return False
    return True


async def _until_gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def _cut(receive: Receive, send: Send) -> None:
    """Reset the connection. ASGI knows no such thing: the server's own request object holds the transport."""
    server_side: Any = getattr(send, "__self__", None)
    if server_side is None:
        raise ConnectionAbortedError("this server's connections cannot be cut")
    server_side.transport.abort()
    await _until_gone(receive)  # a return before that would be logged as a missing answer


async def _answer(send: Send, status: int, body: Any) -> None:
    content = json.dumps(body, ensure_ascii=False).encode()
    headers = [(b"content-type", b"application/json;charset=utf-8"), (b"content-length", b"%d" % len(content))]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": content})
