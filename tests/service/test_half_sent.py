"""Requests that never become whole, over real sockets: they end, and those who send at a fair pace go on."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from shared.runtime.connection import MAX_HEAD, Connection, server_config
from tests.fixtures.serving import answering


class Hasty(Connection):
    """The same with less patience, and for slower lines."""

    patience = 0.4
    pace = 64


async def echo(scope: Any, receive: Any, send: Any) -> None:
    """Answers with the length of the body, once it is whole."""
    length = 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return
        length += len(message["body"])
        if not message.get("more_body"):
            break
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/plain")]})
    await send({"type": "http.response.body", "body": str(length).encode()})


@pytest.fixture
async def port() -> AsyncIterator[int]:
    config = server_config(echo, port=0, lifespan="off")
    config.http = Hasty
    async with answering(config) as (_, url):
        yield httpx.URL(url).port or 0


async def hang_up(port: int, first: bytes, drop: bytes = b"") -> bytes:
    """What the server says before it hangs up, while `drop` is sent again and again."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(first)

    async def drip() -> None:
        while drop:
            await asyncio.sleep(0.05)
            writer.write(drop)

    dripping = asyncio.create_task(drip())
    try:
        async with asyncio.timeout(4):
            return await reader.read()
    finally:
        dripping.cancel()
        writer.close()


POST = b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 100000\r\n"


@pytest.mark.parametrize(
    ("first", "drop"),
    [
        (b"GET / HT", b""),
        (b"GET / HTTP/1.1\r\nhost: x\r\n", b"x-more: 1\r\n"),
        (POST + b"\r\n", b""),
        (POST + b"\r\nabc", b"d"),
        (b"POST / HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n", b"1\r\nx\r\n"),
    ],
    ids=["a line", "a head that drips", "no body", "a body that drips", "chunks that drip"],
)
async def test_half_a_request_is_told_so_and_ends(port: int, first: bytes, drop: bytes) -> None:
    answer = await hang_up(port, first, drop)
    assert answer.startswith(b"HTTP/1.1 408 ")
    assert "请求没有在规定时间内发完" in answer.decode()


@pytest.mark.parametrize(("first", "drop"), [(b"", b""), (b"\r\n", b"\r\n")], ids=["nothing", "empty lines"])
async def test_a_connection_that_asks_nothing_ends_without_a_word(port: int, first: bytes, drop: bytes) -> None:
    assert b"200" not in await hang_up(port, first, drop)


async def test_a_head_without_end_is_not_kept(port: int) -> None:
    answer = await hang_up(port, b"GET / HTTP/1.1\r\nx: " + b"a" * (MAX_HEAD + 1))
    assert answer.startswith(b"HTTP/1.1 431 ")


async def test_a_connection_kept_alive_is_no_refuge(port: int) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n")
    assert (await reader.readuntil(b"\r\n")).startswith(b"HTTP/1.1 200")
    writer.write(b"GET / HTTP/1.1\r\nhost")
    async with asyncio.timeout(4):
        assert b"HTTP/1.1 408 " in await reader.read()
    writer.close()


async def test_a_large_body_at_a_fair_pace_arrives(port: int) -> None:
    async def slowly() -> AsyncIterator[bytes]:
        for _ in range(8):
            yield b"x" * 64
            await asyncio.sleep(0.1)

    async with httpx.AsyncClient() as http:
        answer = await http.post(f"http://127.0.0.1:{port}/", content=slowly())
    assert (answer.status_code, answer.text) == (200, "512")
