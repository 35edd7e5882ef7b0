"""What the party's page shows, sealed to the party; who opens it; and what the public pages take in.

Whatever changes a case makes its pages stale: statement by statement, whichever act it is part of.
"""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"

_INSTANT = sa.DateTime(timezone=True)
_SHOWN = ("cases", "parties", "notices", "progress", "periods", "clocks")
_STALE = """
CREATE FUNCTION note_stale_pages() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO stale_pages (case_id) SELECT DISTINCT case_id FROM changed;
    RETURN NULL;
END $$
"""


def upgrade() -> None:
    op.add_column("parties", sa.Column("door_due", sa.Boolean(), nullable=False, server_default=sa.text("false")))
    op.create_index("parties_door_due", "parties", ["party_id"], postgresql_where=sa.text("door_due"))
    _doors()
    _taken_in()
    op.execute(_STALE)
    for table in _SHOWN:
        for verb in ("INSERT", "UPDATE"):
            op.execute(
                f"CREATE TRIGGER {table}_stale_{verb.lower()} AFTER {verb} ON {table} REFERENCING NEW TABLE AS changed "
                "FOR EACH STATEMENT EXECUTE FUNCTION note_stale_pages()"
            )
    op.drop_column("parties", "code_index")  # a code is found by its slow hash alone
    op.drop_column("notices", "code_check")
    # Whoever was told of a code goes on with it: their door is made in steps once the service runs.
    op.execute(
        "UPDATE parties SET door_due = true WHERE misfiled_at IS NULL AND (NOT silent OR EXISTS "
        "(SELECT 1 FROM notices WHERE notices.party_id = parties.party_id AND notices.letter IS NOT NULL))"
    )


def _doors() -> None:
    op.create_table(
        "doors",
        sa.Column("party_id", sa.Uuid(), primary_key=True),
        sa.Column("case_id", sa.Uuid(), nullable=False),
        sa.Column("code_index", sa.Text(), nullable=False, unique=True),
        sa.Column("salt", sa.LargeBinary(), nullable=False),
        sa.Column("public_key", sa.Text(), nullable=False),
        sa.Column("locked_key", sa.Text(), nullable=False),
        sa.Column("closed", sa.Boolean(), nullable=False),
    )
    op.create_index("ix_doors_case_id", "doors", ["case_id"])
    op.create_table(
        "party_pages",
        sa.Column("party_id", sa.Uuid(), primary_key=True),
        sa.Column("case_id", sa.Uuid(), nullable=False),
        sa.Column("page", sa.Text(), nullable=False),
        sa.Column("refresh_at", _INSTANT, nullable=True),
    )
    due = sa.text("refresh_at IS NOT NULL")
    op.create_index("party_pages_refresh", "party_pages", ["refresh_at"], postgresql_where=due)
    op.create_table(
        "party_sheets",
        sa.Column("notice_id", sa.Uuid(), primary_key=True),
        sa.Column("party_id", sa.Uuid(), nullable=False),
        sa.Column("key_id", sa.Text(), nullable=False),
        sa.Column("sheet", sa.Text(), nullable=False),
    )
    op.create_index("ix_party_sheets_party_id", "party_sheets", ["party_id"])
    op.create_table(
        "stale_pages",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), primary_key=True),
        sa.Column("case_id", sa.Uuid(), nullable=False),
    )


def _taken_in() -> None:
    op.create_table(
        "contact_marks",
        sa.Column("party_id", sa.Uuid(), primary_key=True),
        sa.Column("address_index", sa.Text(), primary_key=True),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("mark", sa.Text(), nullable=False),
    )
    op.create_table(
        "receipt_posts",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), primary_key=True),
        sa.Column("about", sa.Uuid(), nullable=False),
        sa.Column("sealed", sa.Text(), nullable=False),
        sa.Column("arrived_at", _INSTANT, server_default=sa.text("clock_timestamp()"), nullable=False),
    )
    op.create_table(
        "disownings",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), primary_key=True),
        sa.Column("party_id", sa.Uuid(), nullable=False),
        sa.Column("address_index", sa.Text(), nullable=False),
        sa.Column("at", _INSTANT, server_default=sa.text("clock_timestamp()"), nullable=False),
    )
