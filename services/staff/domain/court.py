"""A change of the court's own data: asked for by one person, decided by another. Pure."""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Self
from uuid import UUID

from shared.contracts.staff import ChangeState, CourtData


@dataclass(frozen=True)
class CourtChange:
    """A change of the court's account or telephones: what held, what is to hold, who asked and who decided."""

    id: UUID
    court: str
    before: CourtData
    proposed: CourtData
    reason: str
    state: ChangeState
    proposed_by: UUID
    proposer: str
    proposed_at: datetime
    decided_by: UUID | None = None
    decider: str | None = None
    decided_at: datetime | None = None

    @property
    def fields(self) -> tuple[str, ...]:
        """What would change."""
        before, proposed = self.before.model_dump(), self.proposed.model_dump()
        return tuple(name for name, value in proposed.items() if value != before[name])

    def decided(self, outcome: ChangeState, by: UUID, name: str, at: datetime) -> Self:
        """The same, decided."""
        return replace(self, state=outcome, decided_by=by, decider=name, decided_at=at)
