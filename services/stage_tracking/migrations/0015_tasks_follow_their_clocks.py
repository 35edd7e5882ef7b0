"""A clock knows whether its day was told apart; what its older versions asked for goes, and what was swallowed rings.

Told apart were extensions, and corrections of limits. An urgent beginning is a task of its own kind, asked for anew of
every urgent case. A task that is older than the ringing of its clock, or calls a certain day tentative, had swallowed
that ringing, and the court's three months had taken the reminder of the upper court with them: those clocks ring again.
"""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"

_RUNS = "d.superseded_at IS NULL AND d.met_at IS NULL"
_OF = "t.case_id = d.case_id AND t.subject = d.kind"
_RUNG = "t.kind IN ('reminder', 'overdue_reasons')"


def upgrade() -> None:
    column: sa.Column[bool] = sa.Column("told", sa.Boolean(), server_default=sa.text("false"), nullable=False)
    op.add_column("deadlines", column)
    op.execute(
        "UPDATE deadlines d SET told = true WHERE superseded_at IS NULL AND ("
        "EXISTS (SELECT FROM extensions e WHERE e.case_id = d.case_id AND e.kind = d.kind) OR "
        "kind IN ('statutory_limit', 'preservation_begin', 'objection_decision', 'reconsideration_decision') AND "
        "EXISTS (SELECT FROM ledger_entries l WHERE l.chain_id = d.case_id::text AND l.kind = 'limit_told'))"
    )
    op.execute(
        "UPDATE tasks SET kind = 'begin_now', subject = 'case' WHERE done_at IS NULL AND kind = 'reminder' "
        "AND subject = 'preservation_begin' AND title = '情况紧急，请立即开始执行保全'"
    )
    op.execute("UPDATE cases SET facts_asked = false WHERE urgent")
    op.execute(
        "UPDATE deadlines d SET fired_at = NULL FROM tasks t "  # noqa: S608 - fixed text
        f"WHERE {_OF} AND {_RUNG} AND t.done_at IS NULL AND {_RUNS} "
        "AND (t.opened_at < d.fired_at OR (NOT d.provisional AND t.title LIKE '%暂定%'))"
    )
    op.execute(
        "UPDATE deadlines d SET fired_at = NULL WHERE kind = 'upper_court_six_months' "  # noqa: S608 - fixed text
        f"AND {_RUNS} AND fired_at IS NOT NULL AND EXISTS (SELECT FROM tasks t WHERE {_OF} AND t.kind = 'reminder' "
        "AND t.opened_at = d.fired_at AND t.done_at IS NOT NULL AND t.done_by IS NULL)"
    )
    op.execute(
        "UPDATE tasks t SET done_at = now() "  # noqa: S608 - fixed text
        f"WHERE {_RUNG} AND done_at IS NULL AND NOT EXISTS (SELECT FROM deadlines d WHERE {_OF} "
        "AND d.superseded_at IS NULL AND d.fired_at IS NOT NULL AND (t.kind = 'overdue_reasons' OR d.met_at IS NULL))"
    )
