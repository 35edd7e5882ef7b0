"""Every list of the product is declared once: columns, orders and filters. From that come its page and its files.

Filters, order and place stand in the list's address, and so do a link to each page and the same list as a file.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Annotated, Any, Generic, TypeVar
from urllib.parse import urlencode

from fastapi import Query

from shared.db.lists import PAGE, Part, Sorting
from shared.errors import Fault, Invalid
from shared.http.exports import PORTION, Cell, Kind, Line

R = TypeVar("R")
_WAYS = (("", "，升序"), ("-", "，降序"))

Rows = Callable[[Part], Awaitable[tuple[Sequence[R], str | None]]]
"""The rows of a part of a list, and where the list goes on."""


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


@dataclass(frozen=True)
class Place:
    """Order and place of a list as they stand in its address; `export`: the whole of it is wanted as a file."""

    sort: Annotated[str, Query(max_length=20)] = ""
    cursor: Annotated[str, Query(max_length=2000)] = ""
    export: Kind | None = None


FIRST = Place()
"""The first page in the list's own order."""


@dataclass(frozen=True)
class Column(Generic[R]):
    """A column: its head, what a file writes of a row, and the name of the order by it.

    Without `cell` it stands on the page alone, with `filed` in files alone. `kind`: how the page sets it.
    """

    word: str
    cell: Callable[[R], Cell] | None = None
    sort: str = ""
    kind: str = ""
    filed: bool = False


@dataclass(frozen=True)
class Filter:
    """What a list can be narrowed by: its name in the address, its word, and what there is to choose from.

    Without choices it is typed. `shown`: the page's form of filters has it; otherwise something else on the page.
    """

    name: str
    word: str
    choices: Mapping[str, str] | None = None
    hint: str = ""
    shown: bool = True


@dataclass(frozen=True)
class Listing(Generic[R]):
    """A list. `name`: what it shows, and what its files are called; `unit`: what its rows are counted in."""

    path: str
    name: str
    sorting: Sorting
    columns: Sequence[Column[R]]
    filters: Sequence[Filter] = ()
    unit: str = "条"

    def asked(
        self, place: Place, chosen: Any = None, choices: Mapping[str, Mapping[str, str]] | None = None, path: str = ""
    ) -> "Asked[R]":
        """The list as somebody wants it. `chosen`: a dataclass of the filters; `choices`: those of the moment.

        Raises Invalid for a choice that there is not.
        """
        given = {name: "" if value is None else str(value) for name, value in asdict(chosen or _Nothing()).items()}
        asked = Asked(self, place, given, choices or {}, path or self.path)
        faults = [fault for each in self.filters if (fault := asked.fault(each))]
        if faults:
            raise Invalid(faults, "筛选条件无效。")
        return asked


@dataclass(frozen=True)
class _Nothing:
    """No filters."""


@dataclass(frozen=True)
class Asked(Generic[R]):
    """A list with its filters, its order and its place as somebody wants them."""

    listing: Listing[R]
    place: Place
    chosen: Mapping[str, str]
    choices: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    path: str = ""

    @property
    def sort(self) -> str:
        """The order; the list's own one when there is none like the one wanted."""
        return self.listing.sorting.chosen(self.place.sort)

    @property
    def address(self) -> ListAddress:
        """Where it stands."""
        return ListAddress(self.path, self.chosen, self.sort, self.listing.sorting.default, self.place.cursor or None)

    def choices_of(self, one: Filter) -> Mapping[str, str] | None:
        """What there is to choose from; None for what is typed."""
        return self.choices.get(one.name, one.choices)

    def fault(self, one: Filter) -> Fault | None:
        """What is wrong with a filter, if something is."""
        value, choices = self.chosen.get(one.name, ""), self.choices_of(one)
        if not value or choices is None or value in choices:
            return None
        return Fault(one.name, f"“{one.word}”没有这一选项，请回到列表重新选择。")

    @property
    def narrowed(self) -> list[str]:
        """The filters that are set, in words."""
        return [f"{one.word}：{self._word(one)}" for one in self.listing.filters if self.chosen.get(one.name)]

    def _word(self, one: Filter) -> str:
        value = self.chosen[one.name]
        return (self.choices_of(one) or {}).get(value, value)

    async def shown(self, rows_of: Rows[R]) -> "Shown[R]":
        """A page of it. Raises Invalid for a cursor that it never gave."""
        rows, following = await rows_of(Part(self.sort, self.place.cursor or None))
        return Shown(self, rows, following)

    @property
    def heads(self) -> list[str]:
        """The heads of its file."""
        return [column.word for column in self.listing.columns if column.cell is not None]

    async def lines(self, rows_of: Rows[R]) -> AsyncIterator[Line]:
        """Its file, row by row, read in portions, each in a short transaction of its own."""
        cells = [column.cell for column in self.listing.columns if column.cell is not None]
        cursor: str | None = None
        while True:
            rows, cursor = await rows_of(Part(self.sort, cursor, PORTION))
            for row in rows:
                yield [cell(row) for cell in cells]
            if cursor is None:
                return


@dataclass(frozen=True)
class Shown(Generic[R]):
    """A page of a list, for the components that show it."""

    asked: Asked[R]
    rows: Sequence[R]
    next: str | None

    @property
    def listing(self) -> Listing[R]:
        """What it is a page of."""
        return self.asked.listing

    @property
    def at(self) -> ListAddress:
        """Where it stands."""
        return self.asked.address

    @property
    def heads(self) -> list[dict[str, str]]:
        """The columns' heads; those that sort are links."""
        on_page = [column for column in self.listing.columns if not column.filed]
        return [self._head(column) for column in on_page]

    def _head(self, column: Column[R]) -> dict[str, str]:
        if column.sort:
            return self.at.head(column.sort, column.word, column.kind)
        return {"word": column.word, "kind": column.kind}

    @property
    def note(self) -> str:
        """How many rows a page has."""
        return f"每页{PAGE}{self.listing.unit}"

    @property
    def fields(self) -> list[tuple[Filter, str, list[tuple[str, str]] | None]]:
        """The filters of the form: each with its value and what there is to choose from."""
        return [
            (one, self.at.chosen.get(one.name, ""), self._options(one)) for one in self.listing.filters if one.shown
        ]

    def _options(self, one: Filter) -> list[tuple[str, str]] | None:
        choices = self.asked.choices_of(one)
        return None if choices is None else list(choices.items())

    @property
    def kept(self) -> dict[str, str]:
        """What the form of filters does not change."""
        shown = {one.name for one in self.listing.filters if one.shown}
        kept = {name: value for name, value in self.at.chosen.items() if value and name not in shown}
        return kept | ({} if self.at.sort == self.at.default else {"sort": self.at.sort})

    @property
    def narrowed(self) -> bool:
        """Whether the form's filters leave rows out."""
        return any(value for _, value, _ in self.fields)

    @property
    def whole(self) -> str:
        """The list without the form's filters."""
        return self.at.link(**{one.name: "" for one, _, _ in self.fields})

    @property
    def orders(self) -> list[tuple[str, str]]:
        """The orders to choose from, for a list without heads."""
        sorted_by = [(column.sort, column.word) for column in self.listing.columns if column.sort]
        return [(f"{sign}{name}", f"{word}{way}") for name, word in sorted_by for sign, way in _WAYS]
