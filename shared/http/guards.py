"""What every request passes before a route sees it: size, origin, characters; and the headers of every answer."""

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from shared.errors import Fault, Forbidden, Invalid, Refusal
from shared.http.problems import problem

MAX_BODY = 32 * 1024 * 1024
CSP = (
    "default-src 'self'; img-src 'self' data:; frame-ancestors 'none'; form-action 'self'; "
    "base-uri 'none'; object-src 'none'"
)
_SAFE = {"GET", "HEAD", "OPTIONS"}


class TooLarge(Refusal):
    """The body is larger than any form or file that the product takes."""

    status = 413
    title = "内容过大"


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


class Guards:
    """The outermost layer of each service."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Refuse, or pass on and add the security headers."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        refusal = _refusal(scope)
        if refusal is not None:
            await problem(refusal, scope["path"])(scope, receive, send)
            return

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                _add(MutableHeaders(scope=message))
            await send(message)

        await self._app(scope, _limited(receive), with_headers)


def _refusal(scope: Scope) -> Refusal | None:
    headers = Headers(scope=scope)
    length = headers.get("content-length", "0")
    if not length.isdigit() or int(length) > MAX_BODY:
        return TooLarge("too_large", "内容超过32 MB，请拆分后再提交。")
    if cross_site(headers, scope["method"]):
        return Forbidden("cross_site", "这个操作是从别的网站发起的，已拒绝。请在本站页面上操作。")
    if "\x00" in scope["path"] or b"%00" in scope["query_string"]:
        return Invalid([Fault("", "地址中有不能接受的字符，请核对。")])
    return None


def _limited(receive: Receive) -> Receive:
    taken = 0

    async def limited() -> Message:
        nonlocal taken
        message = await receive()
        taken += len(message.get("body", b""))
        if taken > MAX_BODY:
            raise TooLarge("too_large", "内容超过32 MB，请拆分后再提交。")
        return message

    return limited


def _add(headers: MutableHeaders) -> None:
    headers.setdefault("content-security-policy", CSP)
    headers.setdefault("x-content-type-options", "nosniff")
    headers.setdefault("referrer-policy", "same-origin")
    headers.setdefault("cache-control", "no-store")
