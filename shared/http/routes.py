"""Routes declare their zone and who may call them; one without is refused when the app is built."""

from collections.abc import Callable
from enum import StrEnum
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Header

from shared.http.auth import Caller, caller_of, require
from shared.http.bodies import FORM, RECORD
from shared.http.limits import ACTS, LOOKS, Limit, bounded
from shared.http.versions import carries_version
from shared.powers import Action

CurrentCaller = Annotated[Caller, Depends(caller_of)]
IdempotencyKey = Annotated[str | None, Header(alias="Idempotency-Key", min_length=1, max_length=200)]


class Zone(StrEnum):
    """The network that a route belongs to: the internet, or the court's inner network."""

    PUBLIC = "public"
    STAFF = "staff"


PUBLIC = "public"
"""Marks a route that anybody may call."""

_PROBLEMS: dict[int | str, dict[str, Any]] = {
    code: {
        "description": text,
        "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}},
    }
    for code, text in {
        400: "请求格式不正确",
        401: "请先登录",
        403: "没有权限",
        404: "未找到",
        409: "与现有状态冲突",
        413: "内容过大",
        422: "填写有误",
        429: "操作过于频繁",
        503: "暂时无法办理",
    }.items()
}


class Routes:
    """The routes of one service in one zone, API or pages."""

    def __init__(self, zone: Zone, *, pages: bool = False, limit: Limit | None = None, most: int | None = None) -> None:
        self.zone = zone
        self._limit = limit
        self._most = most
        self.router = APIRouter(include_in_schema=not pages)

    def add(
        self,
        method: str,
        path: str,
        allow: Action | str,
        *,
        versioned: bool = False,
        limit: Limit | None = None,
        most: int | None = None,
        **options: Any,
    ) -> Callable[[Any], Any]:
        """Register the decorated function for `method` and `path`, open to those whom `allow` names.

        `limit`: how much one source may ask of a route that anybody may call, where the usual does not fit; `most`:
        how many bytes a request may bring, likewise.
        """
        often = (limit or self._limit or (LOOKS if method == "GET" else ACTS)) if allow == PUBLIC else None
        long = most or self._most or (FORM if allow == PUBLIC else RECORD)

        def register(function: Any) -> Any:
            guards = [] if allow == PUBLIC else [Depends(require(Action(allow)))]
            guards += [Depends(carries_version)] if versioned else []
            signed_in: dict[str, Any] = {} if allow == PUBLIC else {"security": [{"bearer": []}]}
            self.router.add_api_route(
                path,
                function,
                methods=[method],
                dependencies=guards,
                route_class_override=bounded(often, long),
                responses=_PROBLEMS,
                openapi_extra={"x-permission": str(allow), "x-zone": self.zone.value, **signed_in},
                **options,
            )
            return function

        return register

    def get(self, path: str, allow: Action | str, **options: Any) -> Callable[[Any], Any]:
        """A route that only reads."""
        return self.add("GET", path, allow, **options)

    def post(self, path: str, allow: Action | str, **options: Any) -> Callable[[Any], Any]:
        """A route that acts."""
        return self.add("POST", path, allow, **options)

    def edit(self, path: str, allow: Action | str) -> Callable[[Any], Any]:
        """The route of a form that changes what somebody else may have changed: it carries the version it has seen."""
        return self.add("POST", path, allow, versioned=True)

    def patch(self, path: str, allow: Action | str, **options: Any) -> Callable[[Any], Any]:
        """A route that changes a part."""
        return self.add("PATCH", path, allow, **options)

    def delete(self, path: str, allow: Action | str, **options: Any) -> Callable[[Any], Any]:
        """A route that takes something away."""
        return self.add("DELETE", path, allow, **options)
