"""Who ever handled a case; and a reading comes in as new, whatever the public pages say."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY

revision = "0016"
down_revision = "0015"

_TODAY = "UPDATE cases SET handled_by = array_remove(ARRAY[judge_id::text, judge_name, clerk_name], NULL)"


def upgrade() -> None:
    empty = sa.text("'{}'")
    op.add_column("cases", sa.Column("handled_by", ARRAY(sa.Text()), server_default=empty, nullable=False))
    op.execute(_TODAY)
    op.alter_column("readings", "state", server_default="new")
