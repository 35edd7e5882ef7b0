"""Who changed a member last: of those who are there nobody is known to have."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    op.add_column("members", sa.Column("changed_by", sa.Uuid(), nullable=True))
