"""The one rule for a court's landline: area code, dash, number (`023-12345678`).

Messages carry it, and carriers take neither mobile numbers nor extensions there.
"""

import re
import unicodedata

from shared.contracts.texts import plain_dashes, visible

LANDLINE = re.compile(r"0\d{2,3}-\d{7,8}", re.ASCII)
LONGEST = 13


def is_landline(text: str) -> bool:
    """Whether the whole text is one landline."""
    return LANDLINE.fullmatch(text) is not None


def written(text: str) -> str:
    """A landline as a machine writes it, from one typed with other dashes, wide figures, or spaces."""
    return "".join(plain_dashes(unicodedata.normalize("NFKC", visible(text))).split())
