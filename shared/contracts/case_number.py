"""Case numbers (案号) as people type them: the form in which they are written, looked for and taken apart.

On record stands `（2026）渝05执5001号`; numbers of the older form keep the half-width brackets of their time,
`(2009)渝五中法执字第1号`. Whoever types either finds either.
"""

import re
import unicodedata
from typing import NamedTuple
from uuid import UUID

from shared.contracts.texts import visible

_TO_FULL = str.maketrans("()[]【】〔〕{}", "（）（）（）（）（）")
_TO_HALF = str.maketrans("（）", "()")
_NUMBER = re.compile(
    r"（(?P<year>(?:19|20)\d\d)）(?P<code>[一-鿿]\d{0,4}[一-鿿]{1,8}(?:字第)?)(?P<serial>\d{1,8})(?:-\d{1,3})?号(?:之[一二三四五六七八九十]{1,3})?",
    re.ASCII,
)


class Parts(NamedTuple):
    """A case number taken apart: year of filing, court with type, serial."""

    year: str
    code: str
    serial: str


def written(text: str) -> str:
    """A case number, or a part of one, with full-width brackets, half-width figures and no spaces."""
    return "".join(unicodedata.normalize("NFKC", visible(text)).translate(_TO_FULL).split())


def parts(text: str) -> Parts | None:
    """What a whole case number consists of; None when the text is none.

    The old courts' sub-numbers (`100-1号`, `100号之一`) are read over: this court gives none out.
    """
    found = _NUMBER.fullmatch(written(text))
    return Parts(found["year"], found["code"], found["serial"]) if found else None


def spellings(text: str) -> tuple[str, str]:
    """A case number, or a part of one, in the two forms that stand on record: brackets in full and in half width."""
    full = written(text)
    return full, full.translate(_TO_HALF)


def reference(text: str) -> UUID | str:
    """A case's id when the text reads as one, else its number in full width."""
    try:
        return UUID(text.strip())
    except ValueError:
        return written(text)
