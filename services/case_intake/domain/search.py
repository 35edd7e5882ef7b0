"""What somebody looks for, by what was typed in the one search: a number, a telephone, an ID number, or a name."""

import re
import unicodedata
from dataclasses import dataclass

from services.case_intake.domain.texts import narrow
from shared.contracts.texts import UnknownCharacterError, cleaned, has_control, visible

MOST = 60
"""Characters: the longest case number is far shorter, and so are names; the rest is cut off."""
_ID = re.compile(r"[0-9A-Z]{17}[0-9A-Z]")
_PHONE = re.compile(r"(?:\+?86)?(1[3-9]\d{9})")
_DOTS = re.compile("[·•・‧∙⋅]")


@dataclass(frozen=True)
class Sought:
    """What was typed, in the forms that are on record. A name is found whole only: its keyed hash has no beginning."""

    number: str = ""
    name: str = ""
    id_number: str = ""
    phone: str = ""

    @property
    def empty(self) -> bool:
        """Whether nothing is sought."""
        return not (self.number or self.id_number or self.phone)


def read(typed: str) -> Sought:
    """An ID number and a telephone are known by their form; anything else is a case number or a name."""
    text = unicodedata.normalize("NFKC", _as_filed(typed)).strip()[:MOST]
    plain = narrow(text)
    phone = _PHONE.fullmatch(plain)
    if _ID.fullmatch(plain):
        return Sought(id_number=plain)
    if phone:
        return Sought(phone=phone[1])
    return Sought(number="".join(text.split()), name=same_name(text))


def _as_filed(typed: str) -> str:
    """What was typed by the rule by which names were filed; what nobody can have filed finds nothing."""
    try:
        text = cleaned(typed)
    except UnknownCharacterError:
        text = visible(typed)
    return "".join(sign for sign in text if not has_control(sign))


def same_name(name: str) -> str:
    """A name in the one form under which it is found: without spaces, with one middle dot, in small letters."""
    plain = "".join(unicodedata.normalize("NFKC", name).split())
    return _DOTS.sub("·", plain).casefold()
