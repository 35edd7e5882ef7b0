"""Holding and recalling notices, parties filed by mistake, contacts that their holders disown."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

_INSTANT = sa.DateTime(timezone=True)


def upgrade() -> None:
    for name in ("hold_until", "recalled_at", "settle_at"):
        op.add_column("cases", sa.Column(name, _INSTANT, nullable=True))
    due, recalled = sa.text("settle_at IS NOT NULL"), sa.text("recalled_at IS NOT NULL")
    op.create_index("cases_to_settle", "cases", ["settle_at"], postgresql_where=due)
    op.create_index("cases_recalled", "cases", ["case_id"], postgresql_where=recalled)
    for name in ("hold_until", "misfiled_at"):
        op.add_column("parties", sa.Column(name, _INSTANT, nullable=True))
    disowned = sa.Column("disowned", sa.ARRAY(sa.Text()), server_default=sa.text("'{}'"), nullable=False)
    op.add_column("parties", disowned)
    op.add_column("messages", sa.Column("withdrawn", sa.Text(), nullable=True))
    corrects = sa.Column("corrects", sa.Boolean(), server_default=sa.text("false"), nullable=False)
    op.add_column("messages", corrects)
