"""Drafts keep what was read of a file instead of the file"""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    op.add_column("import_drafts", sa.Column("table_read", sa.Text()))
    op.alter_column("import_drafts", "file", nullable=True)
