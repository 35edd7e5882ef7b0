"""Which columns of a service's tables hold sealed texts and keyed hashes: declared once, walked by the kit.

The kit re-seals them when keys change, and looks at one of them before a process begins.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from sqlalchemy import Table

Opened = Mapping[str, str]
"""The opened texts of a row by their columns; a column that is empty is not in it."""


@dataclass(frozen=True)
class Hashed:
    """A column of keyed hashes: with what purpose, and of what."""

    purpose: str
    of: Callable[[Opened], str | None]
    """The text that is hashed, in its one form; None leaves the column as it is."""


@dataclass(frozen=True)
class SealedTable:
    """One table. `columns` says by column what its text is about, in words of the row's columns: `{id}/name`."""

    table: Table
    columns: Mapping[str, str]
    hashes: Mapping[str, Hashed] = field(default_factory=dict)
