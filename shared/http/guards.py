"""What every request passes before a route sees it: size, origin, characters; and the headers of every answer."""

import re
from urllib.parse import parse_qsl

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from shared.errors import Fault, Forbidden, Invalid, Refusal
from shared.http.bodies import UPLOAD, too_large, up_to
from shared.http.problems import Answer, secure
from shared.http.refusals import Malformed

_SAFE = {"GET", "HEAD", "OPTIONS"}
_LENGTH = re.compile(r"[0-9]{1,18}")
_UTF8 = re.compile(r"charset\s*=\s*\"?utf-?8\"?\s*(;|$)")


def cross_site(headers: Headers, method: str) -> bool:
    """Whether a browser sends this unsafe request on behalf of another site (Fetch Metadata; else Origin).

    Without cookies too: nobody is to be signed in, unawares, as somebody else. A bearer token is no browser's doing.
    """
    if method in _SAFE or headers.get("authorization", "").lower().startswith("bearer "):
        return False
    fetch_site = headers.get("sec-fetch-site")
    if fetch_site is not None:
        return fetch_site not in {"same-origin", "none"}
    origin = headers.get("origin")
    return origin is not None and origin.partition("://")[2] != headers.get("host")


def _with_headers(send: Send) -> Send:
    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            secure(MutableHeaders(scope=message))
        await send(message)

    return sending


class Headed:
    """Adds the security headers to what has no guards before it: documentation, static files."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on; what the answer has set stands."""
        await self._app(scope, receive, _with_headers(send) if scope["type"] == "http" else send)


class Strict:
    """Tells browsers, with every answer, to come over https alone for a year (RFC 6797)."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on, and add the header."""

        async def sending(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message)["strict-transport-security"] = "max-age=31536000"
            await send(message)

        await self._app(scope, receive, sending)


class Guards:
    """The outermost layer of each service."""

    def __init__(self, app: ASGIApp, answer: Answer) -> None:
        self._app = app
        self._answer = answer

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Refuse, or pass on and add the security headers."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        refusal = _refusal(scope)
        if refusal is not None:
            await self._answer(Request(scope), refusal)(scope, receive, send)
            return

        await self._app(scope, up_to(receive, UPLOAD), _with_headers(send))


def _refusal(scope: Scope) -> Refusal | None:
    headers = Headers(scope=scope)
    if cross_site(headers, scope["method"]):
        return Forbidden("cross_site", "这个操作是从别的网站发起的，已拒绝。请在本站页面上操作。")
    return _of_size(headers) or _of_characters(scope, headers)


def _of_size(headers: Headers) -> Refusal | None:
    length = headers.get("content-length", "0")
    if not _LENGTH.fullmatch(length):
        return Malformed("malformed_request", "请求头中的内容长度不正确，请检查后重试。")
    return too_large(UPLOAD) if int(length) > UPLOAD else None


def _of_characters(scope: Scope, headers: Headers) -> Refusal | None:
    if "\x00" in scope["path"] or b"%00" in scope["query_string"]:
        query = parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True)
        named = dict.fromkeys(name for name, value in query if "\x00" in value) or [""]
        return Invalid([Fault(name, "地址中有不能接受的字符，请核对。") for name in named])
    content_type = headers.get("content-type", "").lower()
    if "charset" in content_type and not _UTF8.search(content_type):
        return Malformed("charset_not_supported", "请以UTF-8编码提交。")
    return None
