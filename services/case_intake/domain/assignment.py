"""Who gets the next case by the recorded rule: the judge with the fewest open cases; ties go by staff id."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from uuid import UUID


@dataclass(frozen=True)
class Seat:
    """A judge with the panel in which they sit."""

    judge_id: UUID | None
    panel: str | None


def may_review(seat: Seat, attacked: Seat | None) -> bool:
    """Whether who sits there may review what was done in another case: not its judge, and nobody of its panel."""
    if attacked is None:
        return True
    same_panel = seat.panel is not None and seat.panel == attacked.panel
    return seat.judge_id != attacked.judge_id and not same_panel


def fewest_open_cases(judges: Iterable[UUID], open_cases: Mapping[UUID, int]) -> UUID:
    """The judge who is next; a judge who is not counted has no open case. Raises ValueError without judges."""
    return min(judges, key=lambda judge: (open_cases.get(judge, 0), str(judge)))
