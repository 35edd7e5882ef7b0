"""A trouble told many times is one item that counts."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.add_column("items", sa.Column("trouble", sa.Text(), nullable=True))
    op.add_column("items", sa.Column("times", sa.Integer(), server_default="1", nullable=False))
    op.add_column("items", sa.Column("last_at", sa.DateTime(timezone=True), nullable=True))
    op.create_index(
        "items_trouble",
        "items",
        ["trouble"],
        unique=True,
        postgresql_where=sa.text("taken_at IS NULL AND closed_at IS NULL"),
    )
