"""How far somebody reads into cases: those of their power, their own, and those that their own ones are about."""

import re
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import ColumnElement, Table, or_, select

from shared.contracts.case_kinds import KINDS, kind_of
from shared.powers import Power


@dataclass(frozen=True)
class Reach:
    """Whose inside a member reads, who exercises these powers. Whoever watches over all of it has none: None."""

    powers: frozenset[Power]
    staff_id: UUID

    def over(self, cases: Table, number: str) -> ColumnElement[bool]:
        """Which rows of a table of cases it takes in; `number` is the name of the number's column."""
        own = cases.alias("own")
        about = select(own.c.main_case).where(own.c.judge_id == self.staff_id)
        mine = cases.c.judge_id == self.staff_id
        return or_(_of(cases.c[number], self.powers), mine, cases.c[number].in_(about))


def _of(number: ColumnElement[str], powers: frozenset[Power]) -> ColumnElement[bool]:
    """Whether the number names a kind of these powers; one that cannot be read is of the kind that `kind_of` says."""
    taken = kind_of("").power in powers
    types = [re.escape(kind.type) for kind in KINDS.values() if (kind.power in powers) is not taken]
    found = number.regexp_match(f"({'|'.join(types)})(字第)?[0-9]+号$") if types else number.is_(None)
    return ~found if taken else found
