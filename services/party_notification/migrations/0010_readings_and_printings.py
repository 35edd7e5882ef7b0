"""Readings with their evidence, where staff were signed in, who printed letters, and a case's judge by id."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"

_INSTANT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.add_column("cases", sa.Column("judge_id", sa.Uuid(), nullable=True))
    op.create_table(
        "readings",
        sa.Column("reading_id", sa.Uuid(), primary_key=True),
        sa.Column("notice_id", sa.Uuid(), sa.ForeignKey("notices.notice_id"), nullable=False),
        sa.Column("party_id", sa.Uuid(), nullable=False),
        sa.Column("visit", sa.Uuid(), nullable=False),
        sa.Column("read_at", _INSTANT, nullable=False),
        sa.Column("source_mark", sa.Text(), nullable=False),
        sa.Column("device_mark", sa.Text(), nullable=True),
        sa.Column("evidence", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("doubt", sa.Text(), nullable=True),
        sa.Column("decided_by", sa.Uuid(), nullable=True),
        sa.Column("decided_at", _INSTANT, nullable=True),
        sa.Column("remark", sa.Text(), nullable=True),
        sa.UniqueConstraint("notice_id", "visit"),
    )
    op.create_index("ix_readings_party_id", "readings", ["party_id"])
    op.create_index("readings_new", "readings", ["reading_id"], postgresql_where=sa.text("state = 'new'"))
    op.create_index("readings_doubtful", "readings", ["read_at"], postgresql_where=sa.text("state = 'doubtful'"))
    op.create_table(
        "staff_marks",
        sa.Column("mark", sa.Text(), primary_key=True),
        sa.Column("staff_id", sa.Uuid(), primary_key=True),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("seen_at", _INSTANT, nullable=False),
    )
    op.create_index("ix_staff_marks_seen_at", "staff_marks", ["seen_at"])
    op.create_table(
        "printings",
        sa.Column("printing_id", sa.Uuid(), primary_key=True),
        sa.Column("paper_id", sa.Uuid(), sa.ForeignKey("paper.paper_id"), nullable=False),
        sa.Column("printed_by", sa.Uuid(), nullable=False),
        sa.Column("printed_by_name", sa.Text(), nullable=False),
        sa.Column("printed_at", _INSTANT, nullable=False),
    )
    op.create_index("ix_printings_paper_id", "printings", ["paper_id"])
