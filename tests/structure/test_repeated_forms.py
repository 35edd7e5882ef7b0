"""No answer is no refusal: whoever sends a form again must not do twice what it did. Each form says why not."""

import inspect
import re
from pathlib import Path

import pytest
from fastapi.routing import APIRoute

from shared.http.versions import carries_version
from shared.runtime.registry import load, service_names

ROOT = Path(__file__).parents[2]
KEYED = re.compile(r"\bonce\(request\)|\b_once\(|\"once\"")
REPEATS_NOTHING = {
    "/cases/import": "a file that is only previewed; what is filed from it is confirmed once",
    "/cases/import/drafts/{draft_id}/confirm": "a draft is worked off once",
    "/cases/import/drafts/{draft_id}/drop": "a draft is dropped once",
    "/cases/import/drafts/{draft_id}/hidden": "says the same again",
    "/cases/import/drafts/{draft_id}/numbers": "says the same again",
    "/cases/imports/{import_id}/recall": "what is recalled is recalled",
    "/cases/imports/{import_id}/release": "what is released is released",
    "/cases/{case_id}/looks": "each look is kept, and there were two",
    "/cases/{case_id}/parties/new": "a party stands in a role once",
    "/cases/{case_id}/parties/{party_id}/misfiled": "a party is misfiled once",
    "/desk/items/{item_id}/{act}": "the item's state lets each act happen once",
    "/notices/{notice_id}/deliveries/{delivery_id}/returned": "a mail comes back once",
    "/p": "opens a visit",
    "/p/leave": "ends a visit",
    "/p/not-me": "an address is disowned once",
    "/paper/{paper_id}": "the paper's state lets each act happen once",
    "/paper/{paper_id}/look": "each look is kept, and there were two",
    "/paper/{paper_id}/print": "each printing is kept, and there were two",
    "/search": "asks",
    "/sign-in": "opens a session",
    "/sign-in/code": "a code counts once",
    "/sign-in/enrol": "sets up one factor",
    "/sign-in/refresh": "renews a session",
    "/sign-in/resume": "hands a kept form back, which has its own key",
    "/sign-out": "ends a session",
    "/staff": "a login is given once",
    "/staff/court/changes/{change_id}/withdraw": "a change is decided once",
    "/staff/court/changes/{change_id}/{outcome}": "a change is decided once",
    "/staff/factor": "a code counts once",
    "/staff/factor/instead": "a code counts once",
    "/staff/factor/off": "a code counts once",
    "/staff/notices": "what is seen is seen",
    "/staff/password": "the old password counts once",
    "/staff/record/{event_id}/refuse": "what is refused is refused",
    "/staff/record/{event_id}/review": "what is reviewed is reviewed",
    "/staff/sign-out-everywhere": "what is ended is ended",
    "/staff/tokens/{token_id}/revoke": "what is taken back is taken back",
    "/staff/{staff_id}/enrolment-code": "the code of an answer that nobody saw is of no use: the next one counts",
    "/staff/{staff_id}/factor": "what is reset is reset",
    "/staff/{staff_id}/password": "the password of an answer that nobody saw is of no use: the next one counts",
    "/tip-senders/{tip_id}": "each look is kept, and there were two",
    "/tips/status": "asks",
    "/unknown/contacts/{doubt_id}": "a contact is confirmed once",
    "/unknown/readings/{reading_id}": "a reading is decided once",
    "/unknown/{delivery_id}": "a delivery is decided once",
    "/verify": "asks",
    "/work/done": "a task is done once",
    "/work/tasks/{task_id}/done": "a task is done once",
}
"""Forms without a key, and why sending one again does nothing more. The sandbox is a toy and not among them."""


def _forms() -> dict[str, APIRoute]:
    routes = [
        route
        for name in service_names()
        if name != "sandbox"
        for each in load(name).routes
        for route in each.router.routes
    ]
    posts = [each for each in routes if isinstance(each, APIRoute) and "POST" in each.methods]
    return {each.path: each for each in posts if not each.include_in_schema}


FORMS = _forms()


def _versioned(route: APIRoute) -> bool:
    return any(each.dependency is carries_version for each in route.dependencies)


def _keyed(route: APIRoute) -> bool:
    return KEYED.search(inspect.getsource(route.endpoint)) is not None


def test_every_form_has_a_key_or_a_version_or_says_why_it_needs_none() -> None:
    bare = {path for path, route in FORMS.items() if not _keyed(route) and not _versioned(route)}
    assert bare == set(REPEATS_NOTHING)


@pytest.mark.parametrize("path", sorted((ROOT / "services").glob("**/templates/**/*.html")), ids=lambda path: path.name)
def test_a_form_that_a_script_sends_may_be_sent_again(path: Path) -> None:
    """Its page says so when no answer came (app.js), so it must be true."""
    for line in path.read_text(encoding="utf-8").splitlines():
        if '"hx-post":' in line and "ui.form(" not in line and "set attrs" not in line:
            assert '"data-once": ""' in line or "dict(into," in line, line
