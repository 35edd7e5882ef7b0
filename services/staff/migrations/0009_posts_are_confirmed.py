"""Posts that wait for the integrity office; where an owner was when they were shown what was done to their sign-in."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    roles = postgresql.ARRAY(sa.Text())
    op.add_column("members", sa.Column("waiting", roles, server_default="{}", nullable=False))
    op.add_column("door_events", sa.Column("held", roles, server_default="{}", nullable=False))
    op.add_column("door_events", sa.Column("refused", sa.Boolean(), server_default=sa.false(), nullable=False))
    op.add_column("door_events", sa.Column("seen_from", sa.Text(), nullable=True))
    op.add_column("door_events", sa.Column("seen_on", sa.LargeBinary(), nullable=True))
