"""Which closed cases are archived"""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.add_column("cases", sa.Column("archived", sa.Boolean(), server_default=sa.text("false"), nullable=False))
