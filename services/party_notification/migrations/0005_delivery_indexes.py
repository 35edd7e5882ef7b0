"""Finding what is due by its step, and a receipt's delivery by its address."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    due = sa.text("due_at IS NOT NULL")
    op.create_index("deliveries_step", "deliveries", ["step", "due_at"], unique=False, postgresql_where=due)
    op.create_index("deliveries_address", "deliveries", ["address_index", "planned_at"], unique=False)
