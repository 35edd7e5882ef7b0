"""Bad input to every JSON route: never a 5xx, every fault named, nothing half-written."""

import json
import random
from collections.abc import AsyncIterator, Iterable
from types import SimpleNamespace
from typing import Any

import httpx
import pytest
import pytest_asyncio
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode

from shared.runtime.postgres import EmbeddedPostgres
from shared.runtime.registry import load, service_names
from tests.fixtures import odd
from tests.fixtures.api_examples import Example, Runner, examples_of
from tests.fixtures.databases import fresh_databases
from tests.fixtures.fuzzing import Trial, Trials, choices_of, faults_of_problem, operations_of
from tests.fixtures.kits import app_of

ENDLESS = {"GET /api/desk/stream": "server-sent events: the answer never ends; it takes no input but the token"}
SHOTS = 6
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
    found: dict[str, Any] = {}
    for name in service_names():
        document = app_of(load(name), SimpleNamespace(service=name, exchange=None)).openapi()  # type: ignore[arg-type]
        found |= {f"{name} {each.label}": each for each in operations_of(document) if each.label not in ENDLESS}
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
    trial = trials.of(label.partition(" ")[0])
    for case in _coverage(OPERATIONS[label]):
        trial.judge(case)
    assert not trial.failures, trial.report()


@pytest.mark.long
@pytest.mark.parametrize("label", OPERATIONS)
def test_an_operation_takes_and_refuses_what_chance_makes_of_its_document(label: str, trials: Trials) -> None:
    random.seed(0)
    operation = OPERATIONS[label]
    trial = trials.of(label.partition(" ")[0])

    @FUZZING
    @given(case=st.one_of([operation.as_strategy(generation_mode=mode) for mode in GenerationMode]))
    def fuzz(case: Any) -> None:
        trial.judge(case)

    fuzz()
    assert not trial.failures, trial.report()


def _coverage(operation: Any) -> Iterable[Any]:
    """Every boundary of every parameter and property, within and without: the same each time."""
    schema = operation.schema
    config = schema.config.generation_for(operation=operation, phase="coverage")
    found: Iterable[Any] = schema.iter_coverage_cases(
        operation, generation_modes=list(GenerationMode), generation_config=config
    )
    return found


@pytest.mark.long
@pytest.mark.parametrize("name", service_names())
def test_one_odd_value_in_a_sound_request_is_taken_or_named(name: str, trials: Trials) -> None:
    """The requests of docs/api, each with one value after the other replaced by one that nobody expects."""
    trial = trials.of(name)
    trial.wait(_odd_values(trial, Runner(name, trial.stock)))
    assert not trial.failures, trial.report()


async def _odd_values(trial: Trial, runner: Runner) -> None:
    for example in examples_of(trial.name):
        if example.answer.headers.get("Content-Type") == "text/event-stream":
            continue
        sound = await trial.send(runner.request(example))
        runner.differences(example, sound)  # what it names is known from now on
        if sound.status_code < 400 and example.request.headers.get("Content-Type") == "application/json":
            await _each_odd_value(trial, runner, example)


async def _each_odd_value(trial: Trial, runner: Runner, example: Example) -> None:
    request = runner.request(example)
    body = json.loads(request.content)
    choices = choices_of(trial.app.openapi())
    repeated = _named(await trial.send(_with_body(request, request.content)))
    for at in odd.leaves(body):
        sound = choices.get(str(at[-1]), [])  # another choice may ask for other fields
        for value in (*odd.VALUES, *sound):
            answer = await trial.send(_with_body(request, json.dumps(odd.with_value(body, at, value)).encode()))
            meant = _named(answer) if value in sound else {*map(str, at), *repeated}
            trial.note(answer, f"{'.'.join(map(str, at))} = {str(value)[:40]!a}", _wrong(answer, meant))
    for junk in odd.JUNK:
        answer = await trial.send(_with_body(request, junk))
        trial.note(answer, f"body = {junk[:20]!r}", _wrong(answer, _named(answer)))


def _with_body(request: httpx.Request, body: bytes) -> httpx.Request:
    """The same request with another body, and without its key: or it would be refused as another use of that."""
    gone = {"idempotency-key", "content-length"}
    headers = [(name, value) for name, value in request.headers.raw if name.lower().decode() not in gone]
    return httpx.Request(request.method, request.url, headers=headers, content=body)


TOGETHER = {"last_four": "number"}
"""What is told of one field when the other does not fit it: a stranger is not to learn which."""


def _named(answer: httpx.Response) -> set[str]:
    """The parts of all paths of faults."""
    errors = answer.json().get("errors", []) if answer.status_code == 422 else []
    return {part for error in errors for part in error["field"].split(".")}


def _wrong(answer: httpx.Response, meant: set[str]) -> list[str]:
    """What is wrong with an answer to a request in which one of these is odd."""
    if answer.status_code >= 500:
        return ["a server error"]
    wrong = faults_of_problem(answer)
    if answer.status_code == 422:
        allowed = {*meant, *(TOGETHER.get(name, "") for name in meant)}
        wrong += [] if _named(answer) & allowed else [f"names {_named(answer)}"]
    return wrong
