"""What makes a case urgent, what its review is about, whether a report is ordered; approved extensions of limits.

The clocks of preservations, objections and reconsiderations count as outdated by this: the job that recomputes at
start-up gives them the words of their rule, and asks the clerk what the review is about.
"""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"

_TYPE = "substring(number from '(执恢|执异|执复|执保|执监|执协|执他|执)(字第)?[0-9]+号$')"


def upgrade() -> None:
    for name in ("urgent", "report_ordered", "extended"):
        column: sa.Column[bool] = sa.Column(name, sa.Boolean(), server_default=sa.text("false"), nullable=False)
        op.add_column("cases", column)
    op.add_column("cases", sa.Column("ground", sa.Text(), nullable=True))
    op.add_column("parties", sa.Column("notice_orders_report", sa.Boolean(), nullable=True))
    op.execute("UPDATE parties SET notice_orders_report = false WHERE notice_sent_at IS NOT NULL")
    op.create_table(
        "extensions",
        sa.Column("case_id", sa.Uuid(), sa.ForeignKey("cases.case_id"), primary_key=True),
        sa.Column("kind", sa.Text(), primary_key=True),
        sa.Column("article", sa.Text(), primary_key=True),
        sa.Column("amount", sa.Integer(), nullable=False),
        sa.Column("unit", sa.Text(), nullable=False),
        sa.Column("approved_on", sa.Date(), nullable=False),
        sa.Column("recorded_by", sa.Uuid(), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
    )
    here = f"case_id IN (SELECT case_id FROM cases WHERE {_TYPE} IN ('执保', '执异', '执复'))"  # noqa: S608 - fixed text
    op.execute(
        "UPDATE deadlines SET calendar_until = '1990-01-01' "  # noqa: S608 - fixed text
        f"WHERE met_at IS NULL AND superseded_at IS NULL AND {here}"
    )
