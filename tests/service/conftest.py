"""What most tests of a service begin with: its kit, on a database of its own."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from shared.runtime.service import Kit, Service
from tests.fixtures.databases import FreshDatabase
from tests.fixtures.kits import make_kit


@pytest.fixture
def service(request: pytest.FixtureRequest) -> Service:
    """The service under test: the SERVICE that the test's module imports, unless it says otherwise."""
    found: Service = request.module.SERVICE
    return found


@pytest.fixture
async def kit(service: Service, fresh_database: FreshDatabase) -> AsyncIterator[Kit[Any]]:
    """The service's kit; its clock stands at noon."""
    made = await make_kit(service, await fresh_database(service))
    yield made
    await made.db.close()
