"""On which day the security that a preservation needed was given."""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"


def upgrade() -> None:
    op.add_column("cases", sa.Column("secured_on", sa.Date(), nullable=True))
