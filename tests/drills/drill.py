"""How far a drill goes, and what each one does: hand the file in, wait for the middle of it, settle the account."""

import logging
import os
import time
from collections import Counter
from collections.abc import Callable, Mapping

import httpx

from tests.drills import books
from tests.drills.separate import Separate
from tests.drills.witness import Address, Inflow, Part, account, imported, settled, whereabouts, whole_file
from tests.fixtures.running import eventually

FULL = os.environ.get("YANGGUANG_DRILLS") == "full"
log = logging.getLogger(__name__)


def portion(number: int) -> Part:
    """The whole file in full; else the quarter with that number, for the drills that share a product."""
    return whole_file() if FULL else whole_file().cut(4)[number]


class Drill:
    """One import of `mine`, apart from what the sandbox had received before it."""

    def __init__(self, separate: Separate, mine: Part) -> None:
        self.separate = separate
        self.product = separate.product
        self.mine = mine
        self.due: Counter[Address] = Counter(mine.due)
        self._before = account(self.product, Counter()).received
        self._inflow = Inflow(self.product)
        self._began = time.monotonic()

    def take(self, part: Part) -> None:
        """Hand a file in until it is taken; a repetition changes nothing."""
        file = {"file": ("cases.csv", part.content, "text/csv")}

        def taken() -> bool:
            try:
                answer = self.product.as_("clerk").post("/api/cases/import", files=file)
            except httpx.TransportError:
                return False
            assert answer.status_code in {200, 202, 503}, answer.text
            return answer.status_code < 500

        eventually("the file taken", 120, taken)

    def received(self) -> int:
        """How many messages have come so far."""
        return self._inflow.number()

    def is_in_the_middle(self) -> bool:
        """Some have come, and not all."""
        return 0 < self.received() < sum(self.due.values())

    def get_going(self, part: Part) -> None:
        """Hand a first file in, and wait for the first messages."""
        self.take(part)
        eventually("the first messages", 120, self.is_in_the_middle)

    def end(
        self,
        what: str,
        figures: Mapping[str, object],
        in_doubt: int = 0,
        more: Callable[[], Mapping[str, object]] = dict,
    ) -> None:
        """All at rest, the figures logged, nothing lost or doubled in silence, and the books in order.

        `in_doubt`: how many messages may be; `more`: figures that can only be had at rest.
        """
        eventually("the import worked through", 240, lambda: imported(self.product))
        found = settled(self.product, self.due, self._before)
        took = {"seconds": round(time.monotonic() - self._began)}
        log.warning("%s: %s", what, {**found.figures(), **figures, **more(), **took})
        if found.lost_in_silence():
            log.error("where they are: %s", whereabouts(self.product, found.lost_in_silence()))
        left = books.faults_left(self.product.folder)
        assert not left, left
        found.check(in_doubt)
