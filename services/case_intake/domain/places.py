"""A worksheet's XML, looked at before a reader sees it: where its cells stand, and what a reader would not tell.

ECMA-376 part 1, 18.3.1. A reader believes a row's number and a cell's reference, and makes room for all before them: a
file of two kilobytes can ask for a terabyte. So they must all be there, in their one written form, and in order.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from xml.parsers.expat import ExpatError, ParserCreate

from services.case_intake.domain.refusals import refusal

BROKEN = "文件已损坏，无法打开。请在表格软件中打开核对，另存为“Excel工作簿（.xlsx）”后重新上传。"
FAR_OUT = "表格超过{}行，或者右侧、下方很远处还有内容。请删除案件各行以外的内容；行数过多的，请拆成几个文件。"
TOO_LARGE = "表格内容过大。请拆成几个文件后分别上传。"

Place = tuple[int, int]
"""Row and column, from 1."""
Span = tuple[int, int, int, int]
"""First row and column, last row and column."""

LAST_ROW, LAST_COLUMN = 1_048_576, 16_384
_MOST_COLUMNS = 40
_SPARE_ROWS = 1000
_CELLS_A_ROW = 25
_MOST_SPANS = 20_000
_CELL = re.compile(r"([A-Z]{1,3})([1-9]\d{0,6})", re.ASCII)
_ROW = re.compile(r"[1-9]\d{0,6}", re.ASCII)
_TRUE = {"1", "true"}


@dataclass
class Places:
    """What a worksheet says beside its values; of formulas, which failed and which have no stored result."""

    unsolved: set[Place] = field(default_factory=set)
    failed: set[Place] = field(default_factory=set)
    hidden: set[int] = field(default_factory=set)
    merged: list[Span] = field(default_factory=list)


class Scanner:
    """Takes a worksheet's elements one by one. Raises Invalid at the first that cannot be taken."""

    def __init__(self, max_rows: int) -> None:
        self.places = Places()
        self._max_rows = max_rows
        self._row, self._column, self._cells = 0, 0, 0
        self._all_hidden = False
        self._within = self._over = False
        self._type = ""
        self._formula = self._solved = self._holds = False

    def start(self, name: str, given: Mapping[str, str]) -> None:
        """An element begins; `name` is without its prefix."""
        if self._within:
            self._start_within(name, given)
        elif name == "sheetData":
            if self._over:
                raise refusal(BROKEN)
            self._within = True
        elif name == "sheetFormatPr":
            self._all_hidden = given.get("zeroHeight") in _TRUE
        elif name == "mergeCell":
            self._merge(given.get("ref", ""))

    def end(self, name: str) -> None:
        """An element ends."""
        if name == "c" and self._within:
            self._cell_ends()
        elif name == "sheetData":
            self._within, self._over = False, True

    def text(self, _: str) -> None:
        """Text stands in the value of a formula."""
        self._solved = True

    def listens(self, name: str) -> bool:
        """Whether the text of the element that begins matters."""
        return name == "v" and self._formula

    def _start_within(self, name: str, given: Mapping[str, str]) -> None:
        if name == "row":
            self._row_starts(given)
        elif name == "c":
            self._cell_starts(given)
        elif name == "f":
            self._formula = self._holds = True
        elif name in {"v", "is"}:
            self._holds = True
            # An empty text is a result; an empty figure is none.
            self._solved = self._solved or self._type in {"str", "inlineStr"}

    def _row_starts(self, given: Mapping[str, str]) -> None:
        number = given.get("r", "")
        if not _ROW.fullmatch(number) or not self._row < int(number) <= LAST_ROW:
            raise refusal(BROKEN)
        self._row, self._column = int(number), 0
        shown = given.get("hidden")
        if (shown in _TRUE) if shown is not None else self._all_hidden or _is_flat(given.get("ht", "")):
            self.places.hidden.add(self._row)

    def _cell_starts(self, given: Mapping[str, str]) -> None:
        place = _CELL.fullmatch(given.get("r", ""))
        column = _column(place[1]) if place else 0
        if place is None or int(place[2]) != self._row or not self._column < column <= LAST_COLUMN:
            raise refusal(BROKEN)
        self._column = column
        self._cells += 1
        if self._cells > (self._max_rows + _SPARE_ROWS) * _CELLS_A_ROW:
            raise refusal(TOO_LARGE)
        self._type = given.get("t", "n")
        self._formula = self._solved = self._holds = False

    def _cell_ends(self) -> None:
        if not self._holds:
            return
        if self._column > _MOST_COLUMNS or self._row > self._max_rows + _SPARE_ROWS:
            raise refusal(FAR_OUT.format(self._max_rows))
        if self._type == "e":
            self.places.failed.add((self._row, self._column))
        elif self._formula and not self._solved:
            self.places.unsolved.add((self._row, self._column))

    def _merge(self, reference: str) -> None:
        first, _, last = reference.partition(":")
        corners = _CELL.fullmatch(first), _CELL.fullmatch(last or first)
        if corners[0] is None or corners[1] is None or len(self.places.merged) == _MOST_SPANS:
            raise refusal(BROKEN)
        (top, left), (bottom, right) = ((int(corner[2]), _column(corner[1])) for corner in corners if corner)
        self.places.merged.append((top, left, bottom, right))


def _is_flat(height: str) -> bool:
    try:
        return float(height) == 0
    except ValueError:
        return False


def _column(letters: str) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + ord(letter) - ord("A") + 1
    return number


class Part:
    """One part of a workbook, taken piece by piece. `root` names its outermost element; `heads` is what others need."""

    HEADS = frozenset({"workbookPr", "sheet", "Relationship"})

    def __init__(self, max_rows: int) -> None:
        self.root = ""
        self.heads: list[tuple[str, dict[str, str]]] = []
        self.scanner = Scanner(max_rows)
        # A part in another encoding than this would be one thing here and another to the reader.
        self._parser = ParserCreate("UTF-8")
        self._parser.buffer_text = True
        self._parser.StartDoctypeDeclHandler = _refuse_doctype
        self._parser.StartElementHandler = self._start
        self._parser.EndElementHandler = self._end

    def take(self, piece: bytes, *, last: bool = False) -> None:
        """The next piece. Raises Invalid for what is not well formed."""
        try:
            self._parser.Parse(piece, last)
        except (ExpatError, ValueError):
            raise refusal(BROKEN) from None

    def _start(self, name: str, given: dict[str, str]) -> None:
        local = name.rpartition(":")[2]
        self.root = self.root or local
        if self.root == "worksheet":
            self.scanner.start(local, given)
            if self.scanner.listens(local):
                self._parser.CharacterDataHandler = self.scanner.text
        elif local in self.HEADS:
            self.heads.append((local, {key.rpartition(":")[2]: value for key, value in given.items()}))

    def _end(self, name: str) -> None:
        if self.root == "worksheet":
            self._parser.CharacterDataHandler = None
            self.scanner.end(name.rpartition(":")[2])


def _refuse_doctype(*_: object) -> None:
    raise refusal(BROKEN)
