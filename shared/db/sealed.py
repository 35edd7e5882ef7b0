"""Which columns of a service's tables hold sealed texts and keyed hashes: declared once, walked by the kit.

The kit re-seals them when keys change, and looks at one of them before a process begins.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum, auto

from sqlalchemy import Table

Opened = Mapping[str, str]
"""The opened texts of a row by their columns; a column that is empty is not in it."""


class Keys(StrEnum):
    """With whose index keys a column is hashed."""

    KEYRING = auto()
    """Those of the service's ring."""
    LOOKUPS = auto()
    """Those that its process of the public zone has, too."""


@dataclass(frozen=True)
class Hashed:
    """A column of keyed hashes: with what purpose, of what, and with which keys.

    The texts stand sealed in the same row; what belongs to several tables has a row of its own that they name.
    """

    purpose: str
    of: Callable[[Opened], str | None]
    """The text that is hashed, in its one form; None leaves the column as it is."""
    keys: Keys = Keys.KEYRING


@dataclass(frozen=True)
class SealedTable:
    """One table. `columns` says by column what its text is about, in words of the row's columns: `{id}/name`.

    A text about a hash is sealed anew with it; such a table has this one text alone.
    """

    table: Table
    columns: Mapping[str, str]
    hashes: Mapping[str, Hashed] = field(default_factory=dict)
