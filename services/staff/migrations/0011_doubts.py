"""Whom the integrity office has yet to look into; resets by others that nobody looked into leave their owners so."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    op.add_column("members", sa.Column("doubted", sa.Boolean(), server_default=sa.false(), nullable=False))
    op.add_column("door_events", sa.Column("doubts", sa.Boolean(), server_default=sa.false(), nullable=False))
    op.execute(
        "UPDATE door_events SET doubts = true WHERE kind IN ('password_reset', 'factor_reset')"
        " AND by IS DISTINCT FROM staff_id AND reviewed_at IS NULL"
    )
    op.execute("UPDATE members SET doubted = true WHERE id IN (SELECT staff_id FROM door_events WHERE doubts)")
