"""Kinds of cases: the main case; notices, periods and clocks of other kinds are settled anew.

The job that settles due cases takes back what such a case never owed.
"""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"

_TYPE = "substring(case_number from '(执恢|执异|执复|执保|执监|执协|执他|执)(字第)?[0-9]+号$')"


def upgrade() -> None:
    op.add_column("cases", sa.Column("main_case", sa.Text(), nullable=True))
    others = f"coalesce({_TYPE}, '执他') NOT IN ('执', '执恢')"
    here = f"case_id IN (SELECT case_id FROM cases WHERE {others})"  # noqa: S608 - fixed text
    op.execute(f"DELETE FROM periods WHERE {here}")  # noqa: S608 - fixed text
    op.execute(f"UPDATE cases SET settle_at = now() WHERE {others} AND assigned_at IS NOT NULL")  # noqa: S608 - fixed
