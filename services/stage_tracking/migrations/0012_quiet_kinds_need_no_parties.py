"""Nobody is told of the filing of an assistance or another case: nothing waits for parties that it lacks."""

from alembic import op

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    op.execute(
        "UPDATE tasks SET done_at = now() FROM cases WHERE cases.case_id = tasks.case_id AND tasks.done_at IS NULL "
        "AND tasks.kind = 'complete_parties' AND cases.number ~ '(执协|执他)(字第)?[0-9]+号$'"
    )
