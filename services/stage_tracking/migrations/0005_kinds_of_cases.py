"""Kinds of cases: cases without periods, the main case, clocks that are only provisional.

Every running clock counts as outdated by this: the job that recomputes at start-up then withdraws those that do not
belong to their case, with an entry in its log.
"""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"

_TYPE = "substring(number from '(执恢|执异|执复|执保|执监|执协|执他|执)(字第)?[0-9]+号$')"


def upgrade() -> None:
    op.add_column("cases", sa.Column("main_case", sa.Text(), nullable=True))
    op.create_index(op.f("ix_cases_main_case"), "cases", ["main_case"], unique=False)
    provisional: sa.Column[bool] = sa.Column(
        "next_provisional", sa.Boolean(), server_default=sa.text("false"), nullable=False
    )
    op.add_column("cases", provisional)
    op.alter_column("cases", "period", existing_type=sa.Text(), nullable=True)
    others = f"SELECT case_id FROM cases WHERE coalesce({_TYPE}, '执他') NOT IN ('执', '执恢')"  # noqa: S608 - fixed text
    op.execute(f"UPDATE cases SET period = NULL WHERE case_id IN ({others})")  # noqa: S608 - fixed text
    op.execute(f"DELETE FROM periods WHERE case_id IN ({others})")  # noqa: S608 - fixed text
    preservation = f"SELECT case_id FROM cases WHERE {_TYPE} = '执保'"  # noqa: S608 - fixed text
    unreached = f"actual_on IS NULL AND case_id IN ({others})"
    op.execute(f"DELETE FROM milestones WHERE milestone = 'service' AND {unreached}")  # noqa: S608 - fixed text
    op.execute(
        "DELETE FROM milestones WHERE milestone = 'enforcement' "  # noqa: S608 - fixed text
        f"AND {unreached} AND case_id NOT IN ({preservation})"
    )
    op.execute("UPDATE deadlines SET calendar_until = '1990-01-01' WHERE met_at IS NULL AND superseded_at IS NULL")
