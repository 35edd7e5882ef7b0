"""Who gets the next case by the recorded rule: the judge with the fewest open cases; ties go by staff id."""

from collections.abc import Iterable, Mapping
from uuid import UUID


def fewest_open_cases(judges: Iterable[UUID], open_cases: Mapping[UUID, int]) -> UUID:
    """The judge who is next; a judge who is not counted has no open case. Raises ValueError without judges."""
    return min(judges, key=lambda judge: (open_cases.get(judge, 0), str(judge)))
