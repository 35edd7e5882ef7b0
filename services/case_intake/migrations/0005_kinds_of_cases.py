"""Non-litigation is a fact of the case, no guess from its cause; the case to which another belongs"""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    given: sa.Column[bool] = sa.Column("non_litigation", sa.Boolean(), server_default=sa.text("false"), nullable=False)
    op.add_column("cases", given)
    op.add_column("cases", sa.Column("main_case", sa.Text(), nullable=True))
    op.create_index(op.f("ix_cases_main_case"), "cases", ["main_case"], unique=False)
    # The clocks of the cases on file were set by this guess: it becomes their fact, to be corrected by the clerk.
    op.execute("UPDATE cases SET non_litigation = true WHERE cause LIKE '%非诉%'")
