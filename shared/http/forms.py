"""HTML forms: what was typed is kept for showing it again, and understood by the same models as JSON bodies."""

import hashlib
import json
from typing import Any, TypeVar

from fastapi import Request
from pydantic import BaseModel, ValidationError

from shared.contracts.texts import visible
from shared.errors import Invalid, Refusal
from shared.http.faults import faults_of
from shared.http.kept import BY
from shared.http.versions import Stale
from shared.web.pages import faults_by_field

M = TypeVar("M", bound=BaseModel)
Typed = dict[str, Any]
ONCE = "_once"
"""The hidden field by which a form that acts names itself: `ui.form(…, once=true)`."""


async def typed(request: Request, *many: str) -> Typed:
    """The texts of a form as they were typed, without files; `many` names the fields that hold several."""
    async with request.form() as form:
        texts: Typed = {
            name: value for name, value in form.items() if isinstance(value, str) and name not in {BY, ONCE}
        }
        return texts | {name: [value for value in form.getlist(name) if isinstance(value, str)] for name in many}


async def once(request: Request) -> tuple[str, str] | None:
    """The key of a form that acts, and the fingerprint of what it says; None for a form that names none.

    The same form sent twice, because no answer came or by the back button, is one act; with other content another.
    """
    async with request.form() as form:
        texts = sorted((name, value) for name, value in form.multi_items() if isinstance(value, str))
        given = form.get(ONCE)
    if not isinstance(given, str) or not given:
        return None
    mark = hashlib.sha256(json.dumps(texts).encode()).hexdigest()
    return f"form/{given[:64]}/{mark}", mark


def understood(model: type[M], form: Typed) -> M:
    """What the form says; a field in which nothing is to be seen counts as left out.

    Raises Invalid with every faulty field.
    """
    try:
        return model.model_validate({name: value for name, value in form.items() if not _is_empty(value)})
    except ValidationError as error:
        raise Invalid(faults_of(error.errors())) from None


def _is_empty(value: Any) -> bool:
    return value == [] or (isinstance(value, str) and not visible(value))


def refused(refusal: Refusal | None) -> Typed:
    """A refusal as an edit form shows it: `faults` beside the fields, or in `stale` what somebody else changed."""
    if isinstance(refusal, Stale):
        return {"faults": {}, "stale": refusal}
    return {"faults": faults_in(refusal) if refusal else {}, "stale": None}


def faults_in(refusal: Refusal) -> dict[str, str]:
    """A refusal as the form macros show it: beside its fields, or, when it concerns none, above them all."""
    return faults_by_field(refusal.faults) if isinstance(refusal, Invalid) else {"": refusal.detail}
