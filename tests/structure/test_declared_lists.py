"""Every list of the product is declared, so that it sorts, filters, pages and leaves as a file like all others."""

import re
from pathlib import Path
from typing import Any

import pytest
from fastapi.routing import APIRoute

from shared.db.lists import readable
from shared.runtime.registry import load, service_names
from shared.web.lists import Listing
from tests.fixtures.lists import listings

ROOT = Path(__file__).parents[2]
TEMPLATES = sorted(
    path
    for folder in (ROOT / "services", ROOT / "shared")
    for path in folder.glob("**/templates/**/*.html")
    if "notices" not in path.parts
)
"""Letters and mails are texts: they lie in folders named `notices`."""

NO_LISTS = {
    "shared/web/templates/ui/data.html": "the component itself",
    "shared/web/templates/ui/forms.html": "the fields of one form that two people changed at once",
    "shared/web/templates/ui/lists.html": "the components of lists",
    "services/case_intake/templates/_import_preview_parts.html": "a preview is worked out anew from its sealed file; "
    "it is read in the order of that file and corrected there",
    "services/case_intake/templates/import.html": "open previews besides the list of imports: each lives for an hour",
    "services/case_intake/templates/import_report.html": "the first faults; the list of all is a page of its own",
    "services/case_intake/templates/search.html": "the answer to a form that is posted: its address must not name whom "
    "it looks for",
    "services/staff/templates/court.html": "the fields of one change besides the list of changes: five at most",
    "services/stage_tracking/templates/_clocks.html": "the clocks of one case",
    "services/stage_tracking/templates/_log.html": "one case's log: its order is the proof, and it leaves as evidence",
    "services/stage_tracking/templates/_stage_parts.html": "the open tasks of one case",
    "services/stage_tracking/templates/work.html": "sums by rule or case, and the ten limits that end first, besides "
    "the list of tasks",
}
"""Templates with a table that is no list, and why."""


LISTINGS = [(service, each) for service, found in listings().items() for each in found]
IDS = [each.path for _, each in LISTINGS]


def text(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def test_there_are_lists() -> None:
    assert len(LISTINGS) >= 18


def test_every_table_is_a_declared_list_or_says_why_not() -> None:
    with_table = {path for path in TEMPLATES if re.search(r"ui\.table\(|<table\b|ui\.more_row\(", text(path))}
    named = {str(path.relative_to(ROOT)) for path in with_table}
    assert sorted(named - set(NO_LISTS)) == [], "declare the list (shared/web/lists.py), or name it above with a reason"
    assert sorted(set(NO_LISTS) - named - {"shared/web/templates/ui/lists.html"}) == []


@pytest.mark.parametrize("service", sorted(listings()))
def test_each_declared_list_has_its_template_and_each_such_template_its_list(service: str) -> None:
    uses = re.compile(r"ui\.(?:listing|list_cards)\(")
    templates = [path for path in (ROOT / "services" / service).glob("templates/**/*.html") if uses.search(text(path))]
    assert len(templates) == len(listings()[service])
    for path in templates:
        assert "ui.list_filters(" in text(path) or not _filtered(service, text(path)), path


def _filtered(service: str, template: str) -> bool:
    """Whether the list in this template can be narrowed: it has its title from the list's name, or links to it."""
    return any(each.filters and each.path in template for each in listings()[service])


@pytest.mark.parametrize(("service", "listing"), LISTINGS, ids=IDS)
def test_a_list_is_what_its_declaration_says(service: str, listing: Listing[Any]) -> None:
    routes = [route for each in load(service).routes for route in each.router.routes if isinstance(route, APIRoute)]
    assert [route.path for route in routes if route.path == listing.path and "GET" in (route.methods or ())]
    sorting = listing.sorting
    named = {column.sort for column in listing.columns if column.sort}
    assert named <= set(sorting.columns), "a head sorts by an order that there is not"
    assert sorting.default.removeprefix("-") in sorting.columns
    for column in (*sorting.columns.values(), sorting.key):
        assert readable(column), f"{column}: no cursor can hold its value"
    assert [column.word for column in listing.columns if column.cell is not None], "its file would be empty"
    assert not any(column.filed and column.cell is None for column in listing.columns)


@pytest.mark.parametrize(("service", "listing"), LISTINGS, ids=IDS)
def test_what_is_typed_into_a_lists_address_is_no_persons_name_or_number(service: str, listing: Listing[Any]) -> None:
    typed = [each.word for each in listing.filters if each.choices is None and each.shown]
    assert all(word.startswith(("案号", "线索编号")) for word in typed), (service, typed)


def test_nothing_leaves_as_a_file_but_by_the_one_recorded_act() -> None:
    writes = re.compile(r"exports\.write\b|from shared\.http\.exports import [^\n]*\bwrite\b|xlsxwriter|csv\.writer")
    found = {
        str(path.relative_to(ROOT))
        for folder in ("services", "shared")
        for path in (ROOT / folder).glob("**/*.py")
        if writes.search(text(path))
    }
    # An uploaded table as it is kept, sealed; and the empty one that is filled in.
    without_a_list = {f"services/case_intake/domain/{name}.py" for name in ("sheet", "template")}
    assert found - without_a_list == {"shared/http/exports.py", "shared/runtime/lists.py"}


def test_every_service_for_staff_but_the_pretended_world_has_lists() -> None:
    assert set(listings()) == set(service_names()) - {"sandbox"}
