"""Who took a tip: nobody else looks at its sender."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    op.add_column("tips", sa.Column("taken_by", sa.Uuid(), nullable=True))
