"""No text of a request escapes the one rule: whatever a route takes in is an Input, and what is verbatim is named."""

from collections.abc import Iterator
from typing import Any, get_args

import pytest
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute
from pydantic import BaseModel

from shared.http.inputs import Input, is_verbatim
from shared.runtime.registry import load, service_names
from shared.runtime.service import Service

SERVICES = [load(name) for name in service_names() if name != "sandbox"]  # the sandbox stands for the outside world
VERBATIM = {
    *((model, field) for model in ("SignIn", "SignInForm") for field in ("password", "new_password")),
    *((model, field) for model in ("PasswordChange", "PasswordForm") for field in ("old", "new")),
    ("SignInForm", "again"),
    ("PasswordForm", "again"),
    ("ProofForm", "password"),
}


def leaves(annotation: Any) -> Iterator[Any]:
    inner = get_args(annotation)
    if inner:
        for each in inner:
            yield from leaves(each)
    else:
        yield annotation


def models_in(annotation: Any) -> Iterator[type[BaseModel]]:
    for leaf in leaves(annotation):
        if isinstance(leaf, type) and issubclass(leaf, BaseModel):
            yield leaf
            for field in leaf.model_fields.values():
                yield from models_in(field.annotation)


def taken_in(dependant: Dependant) -> Iterator[Any]:
    yield from dependant.body_params
    for each in dependant.dependencies:
        yield from taken_in(each)


def bodies(service: Service) -> Iterator[tuple[str, Any]]:
    for each in service.routes:
        for route in each.router.routes:
            if isinstance(route, APIRoute):
                for field in taken_in(route.dependant):
                    yield f"{route.path} {field.name}", field.field_info.annotation


def inputs(model: type[Input] = Input) -> Iterator[type[Input]]:
    for each in model.__subclasses__():
        yield each
        yield from inputs(each)


@pytest.mark.parametrize("service", SERVICES, ids=lambda service: service.name)
def test_every_body_is_made_of_cleaned_models(service: Service) -> None:
    for where, annotation in bodies(service):
        assert str not in set(leaves(annotation)), f"{where}: a bare text"
        bare = [model.__name__ for model in models_in(annotation) if not issubclass(model, Input)]
        assert bare == [], where


def test_only_passwords_are_taken_sign_by_sign() -> None:
    ours = [model for model in inputs() if model.__module__.startswith(("services.", "shared."))]
    assert len(ours) >= 25
    found = {(model.__name__, field) for model in ours for field in model.model_fields if is_verbatim(model, field)}
    assert found == VERBATIM


def test_a_text_in_each_model_is_cleaned_before_its_field_judges_it() -> None:
    checked = 0
    for model in inputs():
        for name, field in model.model_fields.items():
            if str in set(leaves(field.annotation)) and not is_verbatim(model, name):
                assert model._clean.__func__ is Input._clean.__func__  # type: ignore[attr-defined]
                checked += 1
    assert checked >= 60
