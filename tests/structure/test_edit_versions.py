"""What two people may change at once carries a version: every PATCH and PUT, and every form that edits."""

import inspect

from fastapi.routing import APIRoute

from shared.http.versions import carries_version
from shared.runtime.registry import load, service_names

NO_EDIT = {
    "/cases/new": "adds a case",
    "/cases/{case_id}/parties/new": "adds a party",
    "/cases/import": "adds an import",
    "/staff": "adds a member",
    "/staff/password": "asks for the old password",
    "/staff/factor": "asks for a code of what it sets up",
    "/staff/notices": "marks one's own notices as seen",
    "/staff/tokens": "adds a token",
    "/sign-in": "opens a session",
    "/sign-in/refresh": "renews a session",
    "/sign-in/code": "gives a code",
    "/tip-senders/{tip_id}": "notes a look",
    "/tips": "adds a tip",
    "/search": "asks",
    "/tips/status": "asks",
    "/p": "opens a visit",
    "/p/not-me": "tells of a mistake",
    "/verify": "asks",
    "/stages/cases/{case_id}/acts": "adds an act",
    "/paper/{paper_id}": "the paper's state decides",
    "/unknown/{delivery_id}": "the delivery's state decides",
}
"""Forms that stand at the address to which they are sent, and overwrite nothing that another may have changed."""
EDITS = {"/cases/{case_id}/assignment", "/cases/import/drafts/{draft_id}/mend"}
"""Forms that edit and stand on another page."""


def _routes() -> list[APIRoute]:
    routes = [route for name in service_names() for each in load(name).routes for route in each.router.routes]
    return [route for route in routes if isinstance(route, APIRoute)]


def _versioned(route: APIRoute) -> bool:
    return any(each.call is carries_version for each in route.dependant.dependencies)


def _takes_version(route: APIRoute) -> bool:
    body = inspect.signature(route.endpoint).parameters.get("body")
    return body is not None and "version" in getattr(body.annotation, "model_fields", ())


def test_every_patch_and_put_takes_the_version_that_was_read() -> None:
    """And says who asks: without a version nobody undoes what another changed."""
    patches = [route for route in _routes() if {"PATCH", "PUT"} & (route.methods or set())]
    assert len(patches) >= 3
    assert [route.path for route in patches if not _takes_version(route)] == []
    edits = [route for route in _routes() if _takes_version(route)]
    assert {route.path for route in edits} >= {"/api/cases/{case_id}/assignment", "/api/staff/court/changes"}
    for route in edits:
        source = inspect.getsource(route.endpoint)
        assert "edit_by(caller, if_match, body.version)" in source, route.path
        assert {"caller", "if_match"} <= set(inspect.signature(route.endpoint).parameters), route.path


def test_the_api_says_what_a_version_is_for() -> None:
    bodies = [
        inspect.signature(route.endpoint).parameters["body"].annotation for route in _routes() if _takes_version(route)
    ]
    assert [body for body in bodies if "不写版本的" not in (body.model_fields["version"].description or "")] == []


def test_every_edit_form_carries_the_version_that_it_has_seen() -> None:
    pages = [route for route in _routes() if not route.include_in_schema]
    shown = {route.path for route in pages if "GET" in (route.methods or set())}
    edits = {
        route.path: route
        for route in pages
        if "POST" in (route.methods or set()) and (route.path in shown - NO_EDIT.keys() or route.path in EDITS)
    }
    assert edits.keys() >= EDITS | {"/staff/{staff_id}", "/cases/{case_id}/edit"}
    assert [path for path, route in edits.items() if not _versioned(route)] == []
