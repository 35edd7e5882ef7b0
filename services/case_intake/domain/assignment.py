"""Who gets the next case by the recorded rule: the judge with the fewest open cases; ties go by staff id."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from uuid import UUID


@dataclass(frozen=True)
class Seat:
    """A judge with the panel in which they sit."""

    judge_id: UUID
    panel: str | None


@dataclass(frozen=True)
class Attacked:
    """A case whose handling is reviewed: who ever was its judge, and its panel."""

    judges: Collection[UUID] = ()
    panel: str | None = None

    def by(self, seat: Seat) -> bool:
        """Whether who sits there implemented it, and so reviews nothing that was done in it."""
        return seat.judge_id in self.judges or (seat.panel is not None and seat.panel == self.panel)


def fewest_open_cases(judges: Iterable[UUID], open_cases: Mapping[UUID, int]) -> UUID:
    """The judge who is next; a judge who is not counted has no open case. Raises ValueError without judges."""
    return min(judges, key=lambda judge: (open_cases.get(judge, 0), str(judge)))
