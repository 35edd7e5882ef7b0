"""Notices whose sending came to nothing; the day of a case's closure, up to now read off its last clock."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    op.add_column("notices", sa.Column("lapsed_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("cases", sa.Column("closed_on", sa.Date(), nullable=True))
    op.execute(
        "UPDATE cases SET closed_on = (clocks.met_at AT TIME ZONE 'Asia/Shanghai')::date FROM clocks "
        "WHERE clocks.case_id = cases.case_id AND clocks.kind = 'statutory_limit' AND clocks.met_at IS NOT NULL"
    )
