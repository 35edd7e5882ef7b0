"""Plans know whether they are provisional; a preservation counts from the receipt; a task's day is a certain one.

Running clocks of preservations, and those that are provisional, count as outdated by this: the job that recomputes at
start-up takes back what counted from the filing, asks the clerk for the day, and marks the plans. A task that took its
day from a clock that is still provisional loses it until the calendar is announced.
"""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"

_TYPE = "substring(number from '(执恢|执异|执复|执保|执监|执协|执他|执)(字第)?[0-9]+号$')"


def upgrade() -> None:
    column: sa.Column[bool] = sa.Column("provisional", sa.Boolean(), server_default=sa.text("false"), nullable=False)
    op.add_column("milestones", column)
    here = f"case_id IN (SELECT case_id FROM cases WHERE {_TYPE} = '执保')"  # noqa: S608 - fixed text
    op.execute(
        "UPDATE deadlines SET calendar_until = '1990-01-01' "  # noqa: S608 - fixed text
        f"WHERE met_at IS NULL AND superseded_at IS NULL AND (provisional OR {here})"
    )
