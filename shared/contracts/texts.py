"""Signs that no text may hold, whichever way it comes in."""

import unicodedata


def has_hidden(text: str, besides: str = "") -> bool:
    """Whether a text holds what nobody sees, or what turns the writing around so that it reads as another one.

    `besides` names control characters that are welcome all the same.
    """
    return any(_is_hidden(sign) and sign not in besides for sign in text)


def _is_hidden(sign: str) -> bool:
    return unicodedata.category(sign) == "Cc" or "\u202a" <= sign <= "\u202e" or "\u2066" <= sign <= "\u2069"
