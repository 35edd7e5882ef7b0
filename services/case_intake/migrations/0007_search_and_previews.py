"""Parties found by name; who uploaded a file; faults that ask for nothing"""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    op.add_column("parties", sa.Column("name_index", sa.Text(), nullable=True))
    op.create_index("parties_by_name", "parties", ["name_index"])
    op.create_index("parties_without_name_index", "parties", ["id"], postgresql_where=sa.text("name_index IS NULL"))
    op.add_column("imports", sa.Column("received_name", sa.Text(), nullable=True))
    op.add_column("import_drafts", sa.Column("received_name", sa.Text(), nullable=True))
    op.create_index("import_drafts_newest", "import_drafts", ["received_at"])
    op.add_column("import_faults", sa.Column("note", sa.Boolean(), server_default=sa.text("false"), nullable=False))
