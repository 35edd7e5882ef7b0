"""The embedded gateway: one listener, every service behind its own paths, as the real gateway does it outside."""

import re
from collections.abc import Mapping, Sequence
from urllib.parse import quote

from starlette.responses import RedirectResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from shared.errors import NotFound
from shared.http.problems import problem

_DOTS = re.compile(r"(^|/)\.{1,2}(/|$)")


class Gateway:
    """Sends a request to the service with the longest matching path prefix; what is nobody's to the one at `/`."""

    def __init__(self, mounts: Mapping[str, ASGIApp]) -> None:
        self._mounts = sorted(mounts.items(), key=lambda mount: -len(mount[0]))
        self._home = mounts.get("/")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Dispatch one request."""
        if scope["type"] == "http":
            await self._find(scope)(scope, receive, send)

    def _find(self, scope: Scope) -> ASGIApp:
        path: str = scope["path"]
        if len(path) > 1 and path.endswith("/") and scope["method"] == "GET":
            return _without_slash(scope)
        if _DOTS.search(path):
            return _nothing(scope)
        found = (app for prefix, app in self._mounts if matches(path, prefix))
        return next(found, None) or self._home or _nothing(scope)


def matches(path: str, prefix: str) -> bool:
    """Whether `path` lies at or below `prefix`; `/` is only itself."""
    return path == prefix or (prefix != "/" and path.startswith(prefix + "/"))


def _without_slash(scope: Scope) -> Response:
    """To the same page of this site: two slashes at the front would name another host."""
    query = scope["query_string"].decode("latin-1")
    path = quote("/" + scope["path"].strip("/"))
    return RedirectResponse(f"{path}?{query}" if query else path, 308)


def _nothing(scope: Scope) -> Response:
    return problem(NotFound("not_found", "没有这个页面或事项，请核对地址。"), scope["path"])


def paths_of(mounts: Mapping[str, Sequence[str]]) -> dict[str, str]:
    """Prefix → service, refusing a prefix that two services claim."""
    owners: dict[str, str] = {}
    for service, prefixes in mounts.items():
        for prefix in prefixes:
            if prefix in owners:
                raise ValueError(f"{prefix} is claimed by {owners[prefix]} and {service}")
            owners[prefix] = service
    return owners
