"""The desk is told by the inner network, which alone opens what the public process took in."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.add_column("tips", sa.Column("told_at", sa.DateTime(timezone=True)))
    op.execute("UPDATE tips SET told_at = arrived_at")  # they were told of in the act that took them in
    untold = sa.text("told_at IS NULL")
    op.create_index("tips_untold", "tips", ["arrived_at"], postgresql_where=untold)
