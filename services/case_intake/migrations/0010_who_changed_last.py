"""Who changed a case, a party or an assignment last: of what stands nobody is known to have."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    for table, column in (("cases", "changed_by"), ("cases", "assigned_by"), ("parties", "changed_by")):
        op.add_column(table, sa.Column(column, sa.Uuid(), nullable=True))
