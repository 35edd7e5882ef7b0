"""What requests are made of: strict models whose texts hold no control characters, and field types with sense."""

from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, StringConstraints

from shared.contracts.texts import has_hidden


class Input(BaseModel):
    """A request's body: unknown fields are refused, so that a misspelt one is never lost in silence."""

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True, frozen=True)


def _without_control(text: str) -> str:
    if has_hidden(text, besides="\n\r\t"):
        raise ValueError("含有不可见的控制字符，请删除后重填。")
    if not any(map(str.isprintable, text)):
        raise ValueError("此项必填。")
    return text


Line = Annotated[str, StringConstraints(min_length=1, max_length=200), AfterValidator(_without_control)]
"""A short text that must not be empty."""

Prose = Annotated[str, StringConstraints(min_length=1, max_length=5000), AfterValidator(_without_control)]
"""A longer text that must not be empty."""
