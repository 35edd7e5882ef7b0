"""How much each route takes: what a form needs, or a record, and a file only where files come in."""

from fastapi.routing import APIRoute

from services.party_notification.channels.receipts import MOST
from shared.http.bodies import FORM, RECEIPTS, RECORD, UPLOAD
from shared.http.routes import PUBLIC
from shared.runtime.registry import load, service_names

MORE = {
    "/api/cases/import": UPLOAD,
    "/cases/import": UPLOAD,
    "/api/notices/receipts/{provider}/{secret}": RECEIPTS,
}
"""Which routes take more than others of their zone; the sandbox is the outside world and not among them."""
LONGEST_RECEIPT = 1024
"""Bytes: one with every field that the carrier documents takes half of it."""


def _routes() -> list[APIRoute]:
    services = (load(name) for name in service_names() if name != "sandbox")
    found = [route for service in services for each in service.routes for route in each.router.routes]
    return [route for route in found if isinstance(route, APIRoute) and "GET" not in route.methods]


def test_no_route_takes_more_than_it_needs() -> None:
    taken = {f"{route.path} {sorted(route.methods)}": getattr(route, "most", None) for route in _routes()}
    needed = {
        f"{route.path} {sorted(route.methods)}": MORE.get(
            route.path, FORM if (route.openapi_extra or {})["x-permission"] == str(PUBLIC) else RECORD
        )
        for route in _routes()
    }
    assert taken == needed
    assert set(MORE) <= {route.path for route in _routes()}


def test_as_many_receipts_as_are_taken_at_once_fit() -> None:
    assert FORM < MOST * LONGEST_RECEIPT <= RECEIPTS
