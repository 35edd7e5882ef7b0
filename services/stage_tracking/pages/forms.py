"""The forms of the acts as the API's bodies: field names are paths, `work.publish.audience`."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from pydantic import TypeAdapter, ValidationError

from services.stage_tracking.domain.acts import Act
from services.stage_tracking.schemas.acts import ActInput
from shared.clock import SHANGHAI
from shared.errors import Invalid
from shared.http.faults import faults_of

LISTS = ("work.publish.audience", "enter_period.checklist")
"""The fields that hold several values."""
_SWITCHES = {"work.publish.notify", "work.publish.carried_out"}
_ACT: TypeAdapter[Any] = TypeAdapter(ActInput)


def act_of(values: Mapping[str, Any]) -> Act:
    """The act that a form describes. Raises Invalid with faults at the form's own fields."""
    kind = values.get("kind", "")
    own = {name: value for name, value in values.items() if name.startswith(f"{kind}.") and value}
    body: dict[str, Any] = {"kind": kind}
    published = bool(own.get("work.publish.audience"))
    for name, value in own.items():
        path = name.split(".")[1:]
        if path[0] == "publish" and published and len(path) == 2:
            body.setdefault("publish", {"notify": False})[path[1]] = _read(name, value)
        elif len(path) == 1 and path[0] != "publish":
            body[path[0]] = value
    try:
        act: Act = _ACT.validate_python(body).act()
    except ValidationError as error:
        raise Invalid(faults_of(error.errors())) from None
    return act


def _read(name: str, value: Any) -> Any:
    """A switch is on when it is sent; a local time without a zone is one of Shanghai."""
    if name in _SWITCHES:
        return True
    if name != "work.publish.not_before":
        return value
    try:
        return datetime.fromisoformat(value).replace(tzinfo=SHANGHAI)
    except (ValueError, TypeError):
        return value
