"""On which day the security that a preservation needed was given."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    op.add_column("cases", sa.Column("secured_on", sa.Date(), nullable=True))
