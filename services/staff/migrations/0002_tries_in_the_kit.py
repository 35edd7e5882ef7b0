"""Wrong tries to sign in are counted in the kit's table, as all others are."""

from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.drop_table("sign_in_tries")
