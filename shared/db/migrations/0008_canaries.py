"""A word under the keys of the rows, to know by at the next start whether they are still the right ones."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    op.create_table(
        "canaries",
        sa.Column("secret", sa.Text(), nullable=False),
        sa.Column("sealed", sa.Text(), nullable=False),
        sa.Column("hashed", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("secret"),
    )
