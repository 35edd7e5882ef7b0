"""Who presides over which panel: the cases of the panel are theirs, too."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    op.create_table(
        "presiding",
        sa.Column("staff_id", sa.Uuid(), primary_key=True),
        sa.Column("panel", sa.Text(), nullable=False),
    )
    op.create_index("ix_presiding_panel", "presiding", ["panel"])
