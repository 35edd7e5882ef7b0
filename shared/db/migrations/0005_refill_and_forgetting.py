"""To which log a row was delivered, how far an empty one has been filled again; what is old is found by its age."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    op.add_column("outbox", sa.Column("delivered_to", sa.Text(), nullable=True))
    op.add_column("outbox_relay", sa.Column("refilled_to", sa.BigInteger(), nullable=True))
    op.add_column(
        "outbox_relay",
        sa.Column("told_topics", postgresql.ARRAY(sa.Text()), server_default=sa.text("'{}'"), nullable=False),
    )
    op.create_index(
        "outbox_delivered",
        "outbox",
        ["key", "id"],
        unique=False,
        postgresql_where=sa.text("delivered_at IS NOT NULL"),
    )
    op.create_index("answers_by_age", "answers", ["given_at"], unique=False)
    op.create_index("inbox_by_age", "inbox", ["handled_at"], unique=False)
