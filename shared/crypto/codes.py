"""Random codes for people to read, write down and say: nothing can be guessed from another one.

Letters and digits are Crockford's Base32: no I, L, O or U, and those typed by mistake are read as 1, 1, 0 and V.
"""

import secrets
import unicodedata

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_PLAIN = ALPHABET.replace("0", "").replace("1", "")
_LOOK_ALIKES = str.maketrans("OILU", "011V")


def query_code() -> str:
    """8 characters without 0, O, 1, I, L and U: the personal code of the party pages (39 bits, with a lock)."""
    return _random(_PLAIN, 8)


def receipt_code() -> str:
    """`XXXX-XXXX-XXXX-XXXX`, 80 bits: a tip's receipt opens its page by itself, so it cannot be tried out."""
    return grouped(_random(ALPHABET, 16))


def enrolment_code() -> str:
    """`XXXX-XXXX-XXXX` without look-alikes, 59 bits: handed out beside a password, with a lock."""
    return grouped(_random(_PLAIN, 12))


def notice_number() -> str:
    """`NNNN-NNNN-NNNN-NNNN`, random digits; the first is not 0, which spreadsheets would drop."""
    return grouped(_random("123456789", 1) + _random("0123456789", 15))


def normalize(code: str) -> str:
    """What was typed, as it is stored and compared: full-width forms narrowed, upper case, look-alikes mapped.

    Everything but Latin letters and digits is dropped (spaces, dashes, a label before the code); the rest may
    still be no code at all.
    """
    narrow = unicodedata.normalize("NFKC", code).upper()
    kept = (character for character in narrow if character.isascii() and character.isalnum())
    return "".join(kept).translate(_LOOK_ALIKES)


def _random(alphabet: str, length: int) -> str:
    return "".join(secrets.choice(alphabet) for _ in range(length))


def grouped(code: str) -> str:
    """A code in groups of four, as it is read aloud and typed."""
    return "-".join(code[at : at + 4] for at in range(0, len(code), 4))
