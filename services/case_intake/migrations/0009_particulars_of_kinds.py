"""Urgent preservations, grounds of reviews, reports ordered in resumed cases: of old cases nothing is known."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    for name in ("urgent", "report_ordered"):
        column: sa.Column[bool] = sa.Column(name, sa.Boolean(), server_default=sa.text("false"), nullable=False)
        op.add_column("cases", column)
    op.add_column("cases", sa.Column("ground", sa.Text(), nullable=True))
