"""Case numbers (案号): year of filing, court, type, serial."""

import re
from dataclasses import dataclass
from typing import Self

from services.case_intake.domain.texts import FaultyTextError

ENFORCEMENT = "执"
_KINDS = "执恢|执异|执复|执保|执监|执协|执他|执"
_SERIAL = r"([1-9]\d{0,7})号"
_OLD = re.compile(rf"[（(]((?:19|20)\d\d)[)）]渝五中法({_KINDS})字第{_SERIAL}", re.ASCII)


@dataclass(frozen=True)
class CaseNumber:
    """A case number in its one written form. `counted`: its serial belongs to the court's present series."""

    text: str
    year: int
    kind: str
    serial: int
    counted: bool = True

    @classmethod
    def parse(cls, text: str, court: str) -> Self:
        """Read `（2026）渝05执5001号`, or the older `(2009)渝五中法执字第1号`. Raises FaultyTextError."""
        new = re.fullmatch(rf"（(20\d\d)）{re.escape(court)}({_KINDS}){_SERIAL}", text, re.ASCII)
        if new:
            return cls(text, int(new[1]), new[2], int(new[3]))
        old = _OLD.fullmatch(text)
        if old:
            plain = f"({old[1]})渝五中法{old[2]}字第{old[3]}号"
            return cls(plain, int(old[1]), old[2], int(old[3]), counted=False)
        raise FaultyTextError(f"案号格式不正确，应如“（2026）{court}执5001号”，括号用全角，请核对。")

    @classmethod
    def of(cls, year: int, court: str, serial: int) -> Self:
        """The number of a new enforcement case."""
        return cls(f"（{year}）{court}{ENFORCEMENT}{serial}号", year, ENFORCEMENT, serial)
