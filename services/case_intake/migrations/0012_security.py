"""On which day the security that a preservation needed was given; 非诉 stays with the kinds that have it.

Older releases let any case be 非诉, and every correction of such a case is refused for a field that its form lacks.
"""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    op.add_column("cases", sa.Column("secured_on", sa.Date(), nullable=True))
    op.execute("UPDATE cases SET non_litigation = false WHERE non_litigation AND case_number !~ '执恢?(字第)?[0-9]+号'")
