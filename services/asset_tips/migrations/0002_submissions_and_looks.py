"""How much one source has sent, for all processes alike; and by name who looked at a sender."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.create_table(
        "submissions",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("submissions_of_source", "submissions", ["source", "at"])
    op.create_index("submissions_by_age", "submissions", ["at"])
    op.add_column("looks", sa.Column("staff_name", sa.Text(), server_default="", nullable=False))
