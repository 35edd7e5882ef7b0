"""What came in and could not be taken is set aside; tries and answers of no use are refused."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"

_INSTANT = sa.DateTime(timezone=True)


def upgrade() -> None:
    now = sa.text("clock_timestamp()")
    op.create_table(
        "set_aside",
        sa.Column("stream", sa.Text(), nullable=False),
        sa.Column("item", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("tries", sa.Integer(), server_default=sa.text("1"), nullable=False),
        sa.Column("since", _INSTANT, server_default=now, nullable=False),
        sa.Column("retry_at", _INSTANT, nullable=False),
        sa.Column("reported_at", _INSTANT, nullable=True),
        sa.PrimaryKeyConstraint("stream", "item"),
    )
    op.create_index("set_aside_told", "set_aside", ["stream", "reported_at"])
    # Counts of wrong tries lapse within minutes: what was made up goes.
    op.execute("DELETE FROM wrong_tries WHERE tried NOT BETWEEN 0 AND 1000 OR last_at > now() + interval '1 hour'")
    op.create_check_constraint("wrong_tries_counted", "wrong_tries", "tried BETWEEN 0 AND 1000")
    op.execute("DELETE FROM answers WHERE jsonb_typeof(answer) <> 'object'")  # no act of ours gave them
    op.create_check_constraint("answers_of_use", "answers", "jsonb_typeof(answer) = 'object'")
