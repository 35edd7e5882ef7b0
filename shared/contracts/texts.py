"""The one rule for texts, whichever way they come in: forms, the API, an import, a tip.

Signs that nobody sees are dropped, private-use characters of older systems become what they stand for, and every end
of a line is one line feed. What then still holds a control character is refused, and so is a character that only the
sender's own font can draw. A text in which nothing is to be seen is empty.
"""

import re
import unicodedata

from shared.contracts.gb18030 import STANDARD

UNKNOWN_CHARACTER = "含有只有原系统才能显示的自造字，打印出来会是空白。请改用标准汉字；没有标准汉字的，请用拼音并加注。"

_UNSEEN = re.compile(
    "["
    "\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180e"
    "\u200b-\u200f\u202a-\u202e\u2060-\u206f\u2800\u3164\ufeff\uffa0\ufff0-\ufffb"
    "\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e00ff\U000e01f0-\U000e0fff"
    "]"
)
_VARIATION = "\u180b-\u180d\u180f\ufe00-\ufe0f\U000e0100-\U000e01ef"
_LOOSE_VARIATION = re.compile(rf"(?:(?<=\s)|^)[{_VARIATION}]+")
_LINE_ENDS = re.compile("\r\n|[\r\v\f\u0085\u2028\u2029]")
_PRIVATE = re.compile("[\ue000-\uf8ff\U000f0000-\U000ffffd\U00100000-\U0010fffd]")
_DASHES = re.compile(r"[\u2010-\u2015\u2212\u2043\u02d7\ufe58\ufe63\uff0d]")


LONGEST = 20_000
"""Of no field a quarter is taken: what is longer than this, signs that nobody sees included, is not even cleaned."""
TOO_LONG = "内容太长，请缩短后重新填写。"


class UnfitTextError(ValueError):
    """A text cannot be taken; the message is for people."""


class TooLongTextError(UnfitTextError):
    """A text is longer than any field."""


class UnknownCharacterError(UnfitTextError):
    """A text holds a private-use character that stands for nothing published; the message is for people."""


def cleaned(text: str) -> str:
    """The text by the rule, without spaces at its ends. Raises UnfitTextError."""
    if len(text) > LONGEST:
        raise TooLongTextError(TOO_LONG)
    if text.isascii() and text.isprintable():
        return text.strip()
    seen = _UNSEEN.sub("", _LINE_ENDS.sub("\n", text)).translate(STANDARD)
    if _PRIVATE.search(seen):
        raise UnknownCharacterError(UNKNOWN_CHARACTER)
    return _LOOSE_VARIATION.sub("", seen).strip()


def visible(text: str) -> str:
    """The text without signs that nobody sees, for finding things by it; its characters are not judged."""
    return _LOOSE_VARIATION.sub("", _UNSEEN.sub("", text)).strip()


def length(text: str) -> int:
    """How long a browser finds a cleaned text: UTF-16 units, an end of line counts once."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def has_control(text: str, besides: str = "") -> bool:
    """Whether a cleaned text holds control characters; `besides` names those that are welcome all the same."""
    return any(unicodedata.category(sign) == "Cc" and sign not in besides for sign in text)


def plain_dashes(text: str) -> str:
    """The text with every kind of dash and hyphen as a machine writes it."""
    return _DASHES.sub("-", text)
