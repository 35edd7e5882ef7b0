"""The documentation that the running product gives of itself: /docs (OpenAPI) and /asyncapi (events)."""

from collections.abc import Sequence
from functools import cache
from html import escape
from typing import Any

from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route

from shared.contracts.envelope import REGISTRY
from shared.runtime.registry import service_names
from shared.runtime.service import Service


@cache
def asyncapi() -> dict[str, Any]:
    """AsyncAPI 3.0 of every event that this process knows."""
    channels: dict[str, Any] = {}
    for name, event in sorted(REGISTRY.items()):
        channel = channels.setdefault(event.topic, {"address": event.topic, "messages": {}})
        channel["messages"][name] = {
            "name": name,
            "summary": (event.__doc__ or "").strip().splitlines()[0],
            "payload": event.model_json_schema(),
        }
    info = {"title": "阳光执行", "version": "1", "description": "CloudEvents 1.0; the key is the aggregate's id."}
    return {"asyncapi": "3.0.0", "info": info, "channels": channels}


def docs_routes(services: Sequence[Service]) -> list[Route]:
    """The two pages. Every service is listed, also those of other processes: the gateway knows the way to them."""
    titles = {service.name: service.title for service in services}
    items = "".join(
        f'<li><a href="/docs/{name}">{escape(titles.get(name, name))}</a>（{name}）</li>' for name in service_names()
    )

    async def index(_request: Request) -> Response:
        return HTMLResponse(_page("接口文档", f'<h1>接口文档</h1><ul>{items}</ul><p><a href="/asyncapi">事件</a></p>'))

    async def one(request: Request) -> Response:
        name = escape(request.path_params["service"])
        body = f'<div id="swagger-ui" data-spec="/openapi/{name}.json"></div>'
        return HTMLResponse(_page("接口文档", body, swagger=True))

    async def events(_request: Request) -> Response:
        return JSONResponse(asyncapi())

    return [Route("/docs", index), Route("/docs/{service}", one), Route("/asyncapi", events)]


def _page(title: str, body: str, *, swagger: bool = False) -> str:
    head = '<link rel="stylesheet" href="/static/swagger-ui.css">' if swagger else ""
    scripts = "".join(f'<script src="/static/{name}" defer></script>' for name in ("swagger-ui-bundle.js", "docs.js"))
    return (
        f'<!doctype html><html lang="zh-CN"><head><meta charset="utf-8"><title>{title}</title>{head}</head>'
        f"<body><main>{body}</main>{scripts if swagger else ''}</body></html>"
    )
