"""Execution notices kept one by one; milestones that rest on their service, and not on a person's record."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.create_table(
        "execution_notices",
        sa.Column("notice_id", sa.Uuid(), nullable=False),
        sa.Column("party_id", sa.Uuid(), nullable=False),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("served_on", sa.Date(), nullable=True),
        sa.ForeignKeyConstraint(["party_id"], ["parties.party_id"]),
        sa.PrimaryKeyConstraint("notice_id"),
    )
    op.create_index(op.f("ix_execution_notices_party_id"), "execution_notices", ["party_id"], unique=False)
    by_notices: sa.Column[bool] = sa.Column("by_notices", sa.Boolean(), server_default=sa.text("false"), nullable=False)
    op.add_column("milestones", by_notices)
    op.execute(
        "UPDATE milestones SET by_notices = true WHERE milestone = 'service' AND actual_on IS NOT NULL AND EXISTS "
        "(SELECT 1 FROM ledger_entries AS e WHERE e.chain_id = milestones.case_id::text AND e.kind = 'served')"
    )
