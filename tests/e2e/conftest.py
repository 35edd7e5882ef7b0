"""The product for the end-to-end tests, in each way to run it, or one that runs already (YANGGUANG_TEST_URL)."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fixtures.running import (
    Machine,
    Process,
    Product,
    free_port,
    new_folder,
    remove,
    require_kafka,
)

ONE, SEPARATE = "one process", "separate processes"


@pytest.fixture(scope="session", params=[ONE, pytest.param(SEPARATE, marks=pytest.mark.kafka)])
def product(request: pytest.FixtureRequest) -> Iterator[Product]:
    """The product on an empty folder; it must end well when asked to."""
    running = os.environ.get("YANGGUANG_TEST_URL")
    if running:
        elsewhere = _elsewhere(running, request.param)
        yield elsewhere
        elsewhere.close()
        return
    folder = new_folder()
    process = _process(request.param, folder)
    process.start()
    process.wait_ready(120)
    product = Product(process.url, folder)
    yield product
    product.close()
    assert process.stop() == 0, process.log()[-3000:]
    remove(folder)


def _process(way: str, folder: Path) -> Process:
    if way == ONE:
        return Process(["all"], folder, free_port())
    require_kafka()
    return Machine(folder, free_port())


def _elsewhere(url: str, way: str) -> Product:
    """A copy of its secrets is named by YANGGUANG_TEST_DATA."""
    if way != ONE:
        pytest.skip("已在运行的系统只测一遍。")
    return Product(url, Path(os.environ["YANGGUANG_TEST_DATA"]))
