"""Rows of a list, one by one: a row that cannot be read is shown as such, and never takes the list with it."""

import logging
from collections.abc import Callable, Iterable
from typing import TypeVar

from shared.crypto.keyring import KeyRing
from shared.crypto.sealed import SealError

log = logging.getLogger(__name__)

R = TypeVar("R")
V = TypeVar("V")

UNREADABLE_TEXT = "（内容无法读取，请告知系统管理员）"
UNREADABLE = (SealError, ValueError, LookupError)
"""What a row raises whose content is not what this release expects; pydantic's errors are among them."""


def each(rows: Iterable[R], view: Callable[[R], V], stand_in: Callable[[R], V]) -> list[V]:
    """What each row shows; `stand_in` is made of what lies open in a row that cannot be read."""
    return [one(row, view, stand_in) for row in rows]


def one(row: R, view: Callable[[R], V], stand_in: Callable[[R], V]) -> V:
    """The same of a single row."""
    try:
        return view(row)
    except UNREADABLE as error:
        log.warning("a row cannot be read", extra={"error": type(error).__name__, "view": view.__qualname__})
        return stand_in(row)


def text_of(keyring: KeyRing, sealed: str, about: str) -> str:
    """A sealed text of a row in a list, or a word that says why it is not there."""
    return one(sealed, lambda sealed: keyring.open(sealed, about), lambda _: UNREADABLE_TEXT)
