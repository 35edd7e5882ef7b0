"""The running product for the end-to-end tests: the embedded default, whole, in a process of its own."""

from collections.abc import Iterator

import pytest

from tests.fixtures.running import Process, Product, free_port, new_folder, remove


@pytest.fixture(scope="session")
def product() -> Iterator[Product]:
    """`yangguang serve all` on an empty folder; it must end well when asked to."""
    folder = new_folder()
    process = Process(["all"], folder, free_port())
    process.start()
    process.wait_ready()
    product = Product(process.url, folder)
    yield product
    product.close()
    assert process.stop() == 0, process.log()[-3000:]
    remove(folder)
