"""A list's address: filters, order and place stand in it; heads that sort, pages, and the same list as a file."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode


@dataclass(frozen=True)
class ListAddress:
    """Where a list stands. `chosen`: its filters as they are set; `sort` and `default`: as `Sorting` names them."""

    path: str
    chosen: Mapping[str, Any]
    sort: str
    default: str
    cursor: str | None = None

    def link(self, **other: Any) -> str:
        """The list with some of these changed; what is empty is left out, and so is the place."""
        sort = "" if self.sort == self.default else self.sort
        query = {**self.chosen, "sort": sort, **other}
        given = {name: str(value) for name, value in query.items() if value not in {None, ""}}
        return f"{self.path}?{urlencode(given)}" if given else self.path

    def head(self, name: str, word: str, kind: str = "") -> dict[str, str]:
        """A column's head for the table component: a click sorts by it, another one the other way round."""
        sorted_as = {name: "asc", f"-{name}": "desc"}.get(self.sort, "")
        turned = f"-{name}" if sorted_as == "asc" else name
        return {"word": word, "kind": kind, "sorted": sorted_as, "href": self.link(sort=turned)}

    @property
    def first(self) -> str:
        """The first page, when this is another."""
        return self.link() if self.cursor else ""

    def after(self, cursor: str | None) -> str:
        """The page behind this one, if there is one."""
        return self.link(cursor=cursor) if cursor else ""

    def file(self, kind: str) -> str:
        """The same list, whole, as a file."""
        return self.link(export=kind)

    @property
    def filtered(self) -> bool:
        """Whether a filter is set."""
        return any(value not in {None, ""} for value in self.chosen.values())
