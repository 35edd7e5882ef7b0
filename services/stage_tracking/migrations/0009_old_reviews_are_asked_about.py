"""Open objections and reconsiderations of before the ground was asked for: the clerk is asked about them.

Those whose clock runs were asked by the last step; without the day of receipt none runs.
"""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"

_TYPE = "substring(number from '(执恢|执异|执复|执保|执监|执协|执他|执)(字第)?[0-9]+号$')"


def upgrade() -> None:
    asked: sa.Column[bool] = sa.Column("facts_asked", sa.Boolean(), server_default=sa.text("true"), nullable=False)
    op.add_column("cases", asked)
    op.create_index("cases_not_asked", "cases", ["case_id"], postgresql_where=sa.text("NOT facts_asked"))
    op.execute(
        "UPDATE cases SET facts_asked = false "  # noqa: S608 - fixed text
        f"WHERE closed_on IS NULL AND ground IS NULL AND {_TYPE} IN ('执异', '执复')"
    )
