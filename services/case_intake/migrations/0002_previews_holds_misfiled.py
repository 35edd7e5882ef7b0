"""Previews of imports, held and recalled notices, parties filed by mistake, contacts disowned"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.create_table(
        "import_drafts",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("file_name", sa.Text(), nullable=False),
        sa.Column("file", sa.Text(), nullable=False),
        sa.Column("mends", sa.Text(), nullable=True),
        sa.Column("silent", sa.Boolean(), nullable=False),
        sa.Column("assign", sa.Text(), nullable=False),
        sa.Column("hold_minutes", sa.Integer(), nullable=False),
        sa.Column("received_by", sa.Uuid(), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.add_column("imports", sa.Column("hold_minutes", sa.Integer(), server_default=sa.text("0"), nullable=False))
    op.add_column("imports", sa.Column("recalled_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("imports", sa.Column("recalled_by", sa.Uuid(), nullable=True))
    op.add_column("imports", sa.Column("released_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("imports", sa.Column("released_by", sa.Uuid(), nullable=True))
    op.add_column("imports", sa.Column("untold", sa.Boolean(), server_default=sa.text("false"), nullable=False))
    op.create_index("imports_untold", "imports", ["id"], unique=False, postgresql_where=sa.text("untold"))
    op.add_column("import_groups", sa.Column("case_id", sa.Uuid(), nullable=True))
    op.add_column("import_groups", sa.Column("notices", sa.Text(), nullable=True))
    op.create_index("import_groups_by_case", "import_groups", ["case_id"], unique=False)
    op.add_column("parties", sa.Column("misfiled_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("parties", sa.Column("misfiled_by", sa.Uuid(), nullable=True))
    op.add_column("parties", sa.Column("phone_disowned_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("parties", sa.Column("email_disowned_at", sa.DateTime(timezone=True), nullable=True))
    op.drop_constraint("parties_once", "parties", type_="unique")
    op.create_index(
        "parties_once",
        "parties",
        ["case_id", "role", "id_index"],
        unique=True,
        postgresql_where=sa.text("misfiled_at IS NULL"),
    )
