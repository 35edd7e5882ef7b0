"""Every member is told again from time to time; those who are there are told at the next start."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    op.add_column("members", sa.Column("told_at", sa.DateTime(timezone=True), nullable=True))
    op.alter_column("members", "told_at", server_default=sa.func.now())
    op.create_index("members_to_tell", "members", ["told_at"])
