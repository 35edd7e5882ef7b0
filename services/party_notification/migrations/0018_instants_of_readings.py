"""A reading carries an instant that can be counted with; one that did not is doubted when it is weighed."""

from alembic import op

revision = "0018"
down_revision = "0017"

_COUNTED = "read_at BETWEEN '2000-01-01Z' AND '2999-12-31Z'"


def upgrade() -> None:
    op.execute("UPDATE readings SET read_at = '2000-01-01Z' WHERE read_at NOT BETWEEN '2000-01-01Z' AND '2999-12-31Z'")
    op.create_check_constraint("readings_read", "readings", _COUNTED)
