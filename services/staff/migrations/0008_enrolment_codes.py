"""Codes that an administrator hands out for the first enrolment of a second factor; nobody has one yet."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    op.create_table(
        "enrolment_codes",
        sa.Column("staff_id", sa.Uuid(), nullable=False),
        sa.Column("mark", sa.LargeBinary(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(["staff_id"], ["members.id"]),
        sa.PrimaryKeyConstraint("staff_id"),
    )
