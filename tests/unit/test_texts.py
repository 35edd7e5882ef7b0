import pytest
from pydantic import TypeAdapter, ValidationError

from services.case_intake.domain.texts import FaultyTextError, prose
from shared.http.inputs import Prose


@pytest.mark.parametrize("sign", ["\x00", "\x1b", "\x7f", "\x85", "\u202e", "\u2066"])
def test_hidden_signs_are_refused_whichever_way_a_text_comes_in(sign: str) -> None:
    with pytest.raises(ValidationError):
        TypeAdapter(Prose).validate_python(f"甲{sign}乙")
    with pytest.raises(FaultyTextError):
        prose(f"甲{sign}乙")


def test_several_lines_are_welcome() -> None:
    text = "甲\n\t乙·丙 👩‍⚖️"
    assert TypeAdapter(Prose).validate_python(text) == prose(text) == text
