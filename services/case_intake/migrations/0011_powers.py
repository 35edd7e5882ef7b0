"""Which cases a member handles, by the power that they exercise; and who ever handled a case."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    # Only judges of the bureau were kept until now; the others are told of again by the staff service.
    powers = sa.Column("powers", sa.ARRAY(sa.Text()), server_default=sa.text("'{implementation}'"), nullable=False)
    op.add_column("judges", powers)
    handled_by = sa.Column("handled_by", sa.ARRAY(sa.Uuid()), server_default=sa.text("'{}'"), nullable=False)
    op.add_column("cases", handled_by)
    op.execute("UPDATE cases SET handled_by = ARRAY[judge_id] WHERE judge_id IS NOT NULL")
