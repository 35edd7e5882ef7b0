"""A second factor: its sealed secret, recovery codes, and when it was given in a session."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    op.add_column("sessions", sa.Column("factor_at", sa.DateTime(timezone=True), nullable=True))
    op.create_table(
        "factors",
        sa.Column("staff_id", sa.Uuid(), nullable=False),
        sa.Column("secret", sa.Text(), nullable=False),
        sa.Column("last_step", sa.BigInteger(), nullable=False),
        sa.Column("enrolled_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(["staff_id"], ["members.id"]),
        sa.PrimaryKeyConstraint("staff_id"),
    )
    op.create_table(
        "recovery_codes",
        sa.Column("staff_id", sa.Uuid(), nullable=False),
        sa.Column("mark", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["staff_id"], ["factors.staff_id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("staff_id", "mark"),
    )
