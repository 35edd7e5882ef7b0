"""What of the court's own data was confirmed in the product, for every process to follow."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    op.create_table(
        "court_data",
        sa.Column("only", sa.Integer(), server_default=sa.text("1"), nullable=False),
        sa.Column("told", postgresql.JSONB(), nullable=False),
        sa.PrimaryKeyConstraint("only"),
    )
