"""Open cases that resume, attack or supervise another one, and do not say which: the clerk is asked about them."""

from alembic import op

revision = "0011"
down_revision = "0010"

_TYPE = "substring(number from '(执恢|执异|执复|执保|执监|执协|执他|执)(字第)?[0-9]+号$')"


def upgrade() -> None:
    op.execute(
        "UPDATE cases SET facts_asked = false "  # noqa: S608 - fixed text
        f"WHERE closed_on IS NULL AND main_case IS NULL AND {_TYPE} IN ('执恢', '执异', '执复', '执监')"
    )
