"""Urgent preservations, grounds of reviews, reports ordered in resumed cases; which letters carry such an order."""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"


def upgrade() -> None:
    for table, name in (("cases", "urgent"), ("cases", "report_ordered"), ("notices", "report_ordered")):
        column: sa.Column[bool] = sa.Column(name, sa.Boolean(), server_default=sa.text("false"), nullable=False)
        op.add_column(table, column)
    op.add_column("cases", sa.Column("ground", sa.Text(), nullable=True))
