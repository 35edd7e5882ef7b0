"""Whether the deed came in time is kept with it; who closed an item is called so, whether they acted or dismissed."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.add_column("items", sa.Column("in_time", sa.Boolean(), nullable=True))
    op.execute(
        "UPDATE items SET in_time = items.closed_at <= clocks.due_at FROM clocks "
        "WHERE clocks.item_id = items.item_id AND clocks.stopped_at = items.closed_at AND items.acted_at IS NOT NULL"
    )
    op.alter_column("items", "acted_by_name", new_column_name="closed_by_name")
    op.drop_column("items", "taken_by")
