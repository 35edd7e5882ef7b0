"""Parties filed by mistake."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.add_column("parties", sa.Column("misfiled_at", sa.DateTime(timezone=True), nullable=True))
