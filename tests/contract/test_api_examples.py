"""The pages of docs/api tell the truth: each request is sent, each answer compared; and no route is left out."""

from types import SimpleNamespace

import pytest
from starlette.routing import Match

from shared.runtime.registry import load, service_names
from tests.fixtures.api_examples import PAGES, Runner, at_work, examples_of
from tests.fixtures.databases import FreshDatabase
from tests.fixtures.kits import app_of
from tests.fixtures.stock import stocked


@pytest.mark.parametrize("name", service_names())
async def test_the_examples_hold(name: str, fresh_database: FreshDatabase) -> None:
    stock = await stocked(name, await fresh_database(load(name)))
    runner = Runner(name, stock)
    async with at_work(stock, name):
        for example in examples_of(name):
            answer = await runner.answer(example)
            assert runner.differences(example, answer) == [], f"{name}: {example.request.start}"
    await runner.http.aclose()
    await stock.kit.db.close()


@pytest.mark.parametrize("name", service_names())
def test_every_route_has_an_example(name: str) -> None:
    app = app_of(load(name), SimpleNamespace(service=name, exchange=None))  # type: ignore[arg-type]
    documented = {(method, path) for path, methods in app.openapi()["paths"].items() for method in methods}
    shown = set()
    for example in examples_of(name):
        scope = {"type": "http", "method": example.method, "path": example.path.partition("?")[0]}
        route = next(each for each in app.state.endpoints if each.matches(scope)[0] is Match.FULL)
        if example.status < 400:
            shown.add((example.method.lower(), route.path))
    assert shown == documented


def test_every_service_has_a_page_and_the_readme_leads_to_it() -> None:
    readme = (PAGES / "README.md").read_text()
    assert {path.stem for path in PAGES.glob("*.md")} == {*service_names(), "README"}
    for name in service_names():
        assert f"({name}.md)" in readme
