"""Devices that have signed in before: strangers' wrong passwords do not keep them out."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    op.create_table(
        "known_devices",
        sa.Column("token_hash", sa.LargeBinary(), nullable=False),
        sa.Column("staff_id", sa.Uuid(), nullable=False),
        sa.Column("last_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(["staff_id"], ["members.id"]),
        sa.PrimaryKeyConstraint("token_hash", "staff_id"),
    )
    op.create_index("devices_of_member", "known_devices", ["staff_id"], unique=False)
