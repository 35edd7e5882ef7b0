"""Reviews belong to the adjudication division: it owes their closing; those that a judge has are looked at."""

from alembic import op

revision = "0013"
down_revision = "0012"

_REVIEW = "cases.number ~ '(执异|执复)(字第)?[0-9]+号$'"


def upgrade() -> None:
    op.execute(
        "UPDATE milestones SET owner_role = 'adjudication' FROM cases "  # noqa: S608 - fixed text
        f"WHERE cases.case_id = milestones.case_id AND owner_role = 'judge' AND {_REVIEW}"
    )
    op.execute(
        "UPDATE cases SET facts_asked = false "  # noqa: S608 - fixed text
        f"WHERE closed_on IS NULL AND judge_id IS NOT NULL AND {_REVIEW}"
    )
