"""Bad input to every route: never a 5xx, every fault named, nothing half-written."""

import random
from collections.abc import AsyncIterator
from types import SimpleNamespace
from typing import Any

import pytest
import pytest_asyncio
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode

from shared.runtime.postgres import EmbeddedPostgres
from shared.runtime.registry import load, service_names
from tests.fixtures.databases import fresh_databases
from tests.fixtures.fuzzing import Trials, operations_of
from tests.fixtures.kits import app_of

ENDLESS = {"GET /api/desk/stream": "server-sent events: the answer never ends; it takes no input but the token"}
SHOTS = 12
FUZZING = settings(
    max_examples=SHOTS,
    derandomize=True,
    database=None,
    deadline=None,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)


def _documented() -> dict[str, Any]:
    """Every operation of every service's OpenAPI document, by service and label."""
    found = {}
    for name in service_names():
        document = app_of(load(name), SimpleNamespace(service=name)).openapi()  # type: ignore[arg-type]
        found |= {f"{name} {each.label}": each for each in operations_of(name, document) if each.label not in ENDLESS}
    return found


OPERATIONS = _documented()


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def trials(postgres: EmbeddedPostgres) -> AsyncIterator[Trials]:
    """The services on trial, one of each for the whole file."""
    async with fresh_databases(postgres) as make:
        made = Trials(make)
        yield made
        await made.close()


@pytest.mark.parametrize("label", OPERATIONS)
def test_an_operation_takes_what_it_documents_and_refuses_the_rest(label: str, trials: Trials) -> None:
    random.seed(0)
    operation = OPERATIONS[label]
    trial = trials.of(label.partition(" ")[0])
    for case in _coverage(operation):
        trial.judge(case)

    @FUZZING
    @given(case=st.one_of(operation.as_strategy(generation_mode=mode) for mode in GenerationMode))
    def fuzz(case: Any) -> None:
        trial.judge(case)

    fuzz()
    dump(label, trial.failures)
    assert not trial.failures, f"{len(trial.failures)} failures\n" + "\n\n".join(trial.failures[:20])


def dump(label, failures):
    with open("/tmp/fails.txt", "a") as f:
        f.write("".join(f"\n######## {label}\n{each}" for each in failures))


def _coverage(operation: Any) -> Any:
    """Every boundary of every parameter and property, within and without: the same each time."""
    schema = operation.schema
    config = schema.config.generation_for(operation=operation, phase="coverage")
    return schema.iter_coverage_cases(operation, generation_modes=list(GenerationMode), generation_config=config)
