"""An SMS about what is mailed has wordings before and after its mail is taken, can be taken back and checked"""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    said: sa.Column[bool] = sa.Column("says_mailed", sa.Boolean(), server_default=sa.text("false"), nullable=False)
    op.add_column("messages", said)
    op.add_column("messages", sa.Column("alt_template_key", sa.Text(), nullable=True))
    op.create_foreign_key(None, "messages", "sms_templates", ["alt_template_key"], ["key"])
    for name in ("alt_params", "alt_content", "alt_content_sha256"):
        op.add_column("messages", sa.Column(name, sa.Text(), nullable=True))
    op.add_column("messages", sa.Column("retracts", sa.Uuid(), nullable=True))
    op.create_index(
        "messages_retracting", "messages", ["retracts"], unique=False, postgresql_where=sa.text("retracts IS NOT NULL")
    )
    # Texts of before said so from the start.
    op.execute("UPDATE messages SET says_mailed = true WHERE channel = 'sms' AND template_key LIKE '%-electronic%'")
    op.add_column("notices", sa.Column("code_check", sa.Text(), nullable=True))
    op.create_index(op.f("ix_notices_code_check"), "notices", ["code_check"], unique=False)
