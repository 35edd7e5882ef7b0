"""What requests are made of: strict models whose texts hold no control characters, and field types with sense."""

import re
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, StringConstraints

_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\u202a-\u202e\u2066-\u2069]")
"""What nobody sees, and what turns the writing around so that a text reads as another one."""


class Input(BaseModel):
    """A request's body: unknown fields are refused, so that a misspelt one is never lost in silence."""

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True, frozen=True)


def _without_control(text: str) -> str:
    if _CONTROL.search(text):
        raise ValueError("含有不可见的控制字符，请删除后重填。")
    if not any(map(str.isprintable, text)):
        raise ValueError("此项必填。")
    return text


Line = Annotated[str, StringConstraints(min_length=1, max_length=200), AfterValidator(_without_control)]
"""A short text that must not be empty."""

Prose = Annotated[str, StringConstraints(min_length=1, max_length=5000), AfterValidator(_without_control)]
"""A longer text that must not be empty."""
