"""Cases, parties, judges, serials and imports"""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    op.create_table(
        "cases",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("case_number", sa.Text(), nullable=False),
        sa.Column("court", sa.Text(), nullable=False),
        sa.Column("filed_on", sa.Date(), nullable=False),
        sa.Column("received_on", sa.Date(), nullable=True),
        sa.Column("basis_document", sa.Text(), nullable=False),
        sa.Column("basis_maker", sa.Text(), nullable=False),
        sa.Column("cause", sa.Text(), nullable=False),
        sa.Column("claim_amount", sa.Numeric(precision=16, scale=2), nullable=True),
        sa.Column("obligation", sa.Text(), nullable=True),
        sa.Column("has_applicant", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("has_respondent", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("silent", sa.Boolean(), nullable=False),
        sa.Column("filed_by", sa.Uuid(), nullable=False),
        sa.Column("registered_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("awaits_rule", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("open", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        sa.Column("judge_id", sa.Uuid(), nullable=True),
        sa.Column("clerk_name", sa.Text(), nullable=True),
        sa.Column("panel", sa.Text(), nullable=True),
        sa.Column("department", sa.Text(), nullable=True),
        sa.Column("rule", sa.Text(), nullable=True),
        sa.Column("assigned_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("case_number"),
    )
    op.create_index("cases_awaiting_rule", "cases", ["id"], unique=False, postgresql_where=sa.text("awaits_rule"))
    op.create_index(
        "cases_newest", "cases", [sa.literal_column("filed_on DESC"), sa.literal_column("id DESC")], unique=False
    )
    op.create_index("cases_of_judge", "cases", ["judge_id"], unique=False, postgresql_where=sa.text("open"))
    op.create_table(
        "imports",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("file_name", sa.Text(), nullable=False),
        sa.Column("file", sa.Text(), nullable=False),
        sa.Column("rows", sa.Integer(), nullable=False),
        sa.Column("silent", sa.Boolean(), nullable=False),
        sa.Column("assign", sa.Text(), nullable=False),
        sa.Column("received_by", sa.Uuid(), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("done_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("unreadable", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("imports_open", "imports", ["id"], unique=False, postgresql_where=sa.text("done_at IS NULL"))
    op.create_table(
        "judges",
        sa.Column("staff_id", sa.Uuid(), nullable=False),
        sa.Column("court", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("phone", sa.Text(), nullable=False),
        sa.Column("department", sa.Text(), nullable=False),
        sa.Column("panel", sa.Text(), nullable=True),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("staff_id"),
    )
    op.create_table(
        "serials",
        sa.Column("court", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("year", sa.Integer(), nullable=False),
        sa.Column("last", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("court", "kind", "year"),
    )
    op.create_table(
        "import_faults",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("import_id", sa.Uuid(), nullable=False),
        sa.Column("line", sa.Integer(), nullable=False),
        sa.Column("column", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("case_number", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(
            ["import_id"],
            ["imports.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("import_faults_in_order", "import_faults", ["import_id", "line", "id"], unique=False)
    op.create_table(
        "import_groups",
        sa.Column("import_id", sa.Uuid(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("case_number", sa.Text(), nullable=True),
        sa.Column("rows", sa.Text(), nullable=False),
        sa.Column("outcome", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(
            ["import_id"],
            ["imports.id"],
        ),
        sa.PrimaryKeyConstraint("import_id", "position"),
    )
    op.create_index(
        "import_groups_to_do",
        "import_groups",
        ["import_id", "position"],
        unique=False,
        postgresql_where=sa.text("outcome IS NULL"),
    )
    op.create_table(
        "parties",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("case_id", sa.Uuid(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("consents", sa.Boolean(), nullable=False),
        sa.Column("address_confirmed_on", sa.Date(), nullable=True),
        sa.Column("minor", sa.Boolean(), nullable=False),
        sa.Column("identity", sa.Text(), nullable=False),
        sa.Column("id_index", sa.Text(), nullable=False),
        sa.Column("phone_index", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(
            ["case_id"],
            ["cases.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("case_id", "role", "id_index", name="parties_once"),
    )
    op.create_index("parties_by_id_number", "parties", ["id_index"], unique=False)
    op.create_index("parties_by_phone", "parties", ["phone_index"], unique=False)
