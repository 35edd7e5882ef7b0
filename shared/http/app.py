"""One service's web application: its routes of the zones served, its errors, its health."""

from collections.abc import Callable, Collection, Iterable
from typing import Any

from fastapi import FastAPI
from fastapi.responses import JSONResponse

from shared.db.revocations import standing
from shared.http import problems
from shared.http.access import Access
from shared.http.guards import Guards
from shared.http.limits import Limiter
from shared.http.observed import Observed
from shared.http.problem_page import problem_page
from shared.http.routes import Routes, Zone


class Application(FastAPI):
    """FastAPI whose document says how to sign in and what every refusal looks like."""

    def openapi(self) -> dict[str, Any]:
        """The OpenAPI document."""
        document = super().openapi()
        components = document.setdefault("components", {})
        components.setdefault("schemas", {})["Problem"] = problems.PROBLEM_SCHEMA
        components["securitySchemes"] = {"bearer": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}}
        return document


def build_app(
    kit: Any, title: str, routes: Iterable[Routes], zones: Collection[Zone], access: Access | None = None
) -> FastAPI:
    """The application of one service for the zones that this process serves."""
    app = Application(
        title=title, version="1", docs_url=None, redoc_url=None, openapi_url=f"/openapi/{kit.service}.json"
    )
    served = [each.router for each in routes if each.zone in zones]
    app.state.kit = kit
    app.state.limiter = Limiter()
    app.state.access = access or Access(lambda: standing(kit.db))
    app.state.inner = Zone.STAFF in zones
    app.state.endpoints = [route for router in served for route in router.routes]
    answer = problems.answering(problem_page)
    app.add_middleware(Guards, answer=answer)
    app.add_middleware(Observed, service=kit.service)  # the last one added is the outermost
    problems.install(app, answer)
    for router in served:
        app.include_router(router)
    return app


def health_answer(checks: dict[str, Callable[[], bool]]) -> JSONResponse:
    """200 when every check holds, else 503; the body names each."""
    states = {name: check() for name, check in checks.items()}
    ready = all(states.values())
    return JSONResponse({"ready": ready, "checks": states}, 200 if ready else 503)
