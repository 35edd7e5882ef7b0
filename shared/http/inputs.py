"""What requests are made of: strict models whose texts all pass the one rule, and field types with sense."""

from functools import cache
from typing import Annotated, Any, Final, get_args

from pydantic import AfterValidator, BaseModel, ConfigDict, StringConstraints, ValidationError, model_validator

from shared.contracts.texts import UnfitTextError, cleaned, has_control, length


class Verbatim:
    """Marks a field whose text is taken sign by sign: a password."""


VERBATIM: Final = Verbatim()


class Input(BaseModel):
    """A request's body: unknown fields are refused, so that a misspelt one is never lost in silence.

    Every text in it is cleaned (shared/contracts/texts.py) before its field judges it.
    """

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True, frozen=True)

    @model_validator(mode="before")
    @classmethod
    def _clean(cls, given: Any) -> Any:
        if not isinstance(given, dict):
            return given
        values, faults = {}, list[Any]()
        for name, value in given.items():
            try:
                values[name] = value if is_verbatim(cls, name) else _cleaned(value)
            except UnfitTextError as error:
                faults.append({"type": "value_error", "loc": (name,), "input": value, "ctx": {"error": error}})
        if faults:
            raise ValidationError.from_exception_data(cls.__name__, faults)
        return values


@cache
def is_verbatim(model: type[BaseModel], field: str) -> bool:
    """Whether a field's text is taken as it is."""
    info = model.model_fields.get(field)
    return info is not None and (VERBATIM in info.metadata or _marked(info.annotation))


def _marked(annotation: Any) -> bool:
    return VERBATIM in getattr(annotation, "__metadata__", ()) or any(map(_marked, get_args(annotation)))


def _cleaned(value: Any) -> Any:
    if isinstance(value, str):
        return cleaned(value)
    return [_cleaned(item) for item in value] if isinstance(value, list | tuple) else value


def _one_line(text: str) -> str:
    return _checked(text, 200, "\t", "含有换行或不可见的控制字符，请删除后重填。")


def _lines(text: str) -> str:
    return _checked(text, 5000, "\n\t", "含有不可见的控制字符，请删除后重填。")


def _checked(text: str, most: int, besides: str, reason: str) -> str:
    if has_control(text, besides):
        raise ValueError(reason)
    if length(text) > most:
        raise ValueError(f"内容太长，最多{most}个字。")
    return text


Line = Annotated[str, StringConstraints(min_length=1, max_length=200), AfterValidator(_one_line)]
"""A short text that must not be empty."""

Prose = Annotated[str, StringConstraints(min_length=1, max_length=5000), AfterValidator(_lines)]
"""A longer text that must not be empty."""
