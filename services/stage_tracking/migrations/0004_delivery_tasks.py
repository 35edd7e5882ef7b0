"""The notices for which a delivery's task waits"""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    op.add_column("tasks", sa.Column("awaits", sa.ARRAY(sa.Uuid()), nullable=True))
