"""Words that would let a party guess that somebody gave a tip: nothing that a party reads may hold one."""

import re
import unicodedata

_TELLING = re.compile(
    r"线索|举报|揭发|检举|告发|来电|来信|悬赏|知情人|匿名|群众反映|值班|\btips?\b", re.IGNORECASE | re.ASCII
)


def telling(text: str) -> str | None:
    """The first such word; None when there is none. Neither spaces nor invisible or wide characters hide one."""
    plain = unicodedata.normalize("NFKC", text)
    found = _TELLING.search(plain) or _TELLING.search("".join(filter(_seen, plain)))
    return found[0] if found else None


def _seen(character: str) -> bool:
    return character.isprintable() and not character.isspace()
