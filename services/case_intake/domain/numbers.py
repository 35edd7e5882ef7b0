"""Case numbers (案号): year of filing, court, type, serial."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Self

from services.case_intake.domain.texts import FaultyTextError
from shared.contracts.case_number import parts, written
from shared.errors import Conflict

ENFORCEMENT = "执"
Series = tuple[str, int]
"""Kind and year, within one court."""
_KINDS = "执恢|执异|执复|执保|执监|执协|执他|执"
_SERIAL = r"([1-9]\d{0,7})号"
_LARGEST = 99_999_999
FAR = 100_000
"""So far beyond its series a serial is taken for a slip of the hand: it is asked about, and never moves the series."""
_OLD = re.compile(rf"[（(]((?:19|20)\d\d)[)）]渝五中法({_KINDS})字第{_SERIAL}", re.ASCII)


def main_case(text: str) -> str:
    """The number of another case, of this or another court, in its written form. Raises FaultyTextError."""
    number = written(text)
    if parts(number) is None:
        raise FaultyTextError("案号格式不正确，应如“（2026）渝05执5001号”，请核对。")
    return number


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
    def on_record(cls, text: str, court: str) -> Self:
        """A number as it stands on record; one that an older release gave out and nobody can read stays as it is."""
        try:
            return cls.parse(text, court)
        except FaultyTextError:
            return cls(text, 0, "", 0, counted=False)

    @classmethod
    def of(cls, year: int, court: str, serial: int) -> Self:
        """The number of a new enforcement case. Raises Conflict when the series has no readable number left."""
        if not 1 <= serial <= _LARGEST:
            raise Conflict("series_exhausted", "自动编号已用完，请填写案号后重新提交，并告知系统管理员。")
        return cls(f"（{year}）{court}{ENFORCEMENT}{serial}号", year, ENFORCEMENT, serial)

    def is_far(self, last: int) -> bool:
        """Whether it lies far beyond a series whose last serial is `last`."""
        return self.counted and self.serial > last + FAR

    @property
    def series(self) -> Series:
        """The series that it belongs to."""
        return self.kind, self.year


def far_numbers(numbers: Iterable[CaseNumber], lasts: Mapping[Series, int]) -> set[str]:
    """Those among some numbers that lie far beyond their series, counted on through the numbers themselves."""
    reached, far = dict(lasts), set()
    for number in sorted(numbers, key=lambda each: each.serial):
        last = reached.get(number.series, 0)
        if number.is_far(last):
            far.add(number.text)
        elif number.counted:
            reached[number.series] = max(last, number.serial)
    return far
