"""Where parties are registered, and each time that an address was disowned: it can be confirmed again.

What was disowned before is looked at anew by the job that lists where parties are registered.
"""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"

_INSTANT = sa.DateTime(timezone=True)
_BEFORE = """
INSERT INTO contact_doubts (doubt_id, party_id, case_id, address_id, channel, disowned_at, noted_at, state)
SELECT DISTINCT ON (p.party_id, m.address_id)
    gen_random_uuid(), p.party_id, p.case_id, m.address_id, m.channel, now(), now() - interval '1 day', 'replaced'
FROM parties p JOIN messages m ON m.party_id = p.party_id AND m.address_id = ANY(p.disowned)
"""


def upgrade() -> None:
    op.create_table(
        "party_contacts",
        sa.Column("party_id", sa.Uuid(), primary_key=True),
        sa.Column("address_id", sa.Uuid(), sa.ForeignKey("addresses.address_id"), primary_key=True),
    )
    _doubts()
    op.execute(_BEFORE)
    op.add_column("parties", sa.Column("contacts_due", sa.Boolean(), server_default=sa.text("true"), nullable=False))
    op.create_index("parties_contacts_due", "parties", ["party_id"], postgresql_where=sa.text("contacts_due"))


def _doubts() -> None:
    op.create_table(
        "contact_doubts",
        sa.Column("doubt_id", sa.Uuid(), primary_key=True),
        sa.Column("party_id", sa.Uuid(), sa.ForeignKey("parties.party_id"), nullable=False),
        sa.Column("case_id", sa.Uuid(), sa.ForeignKey("cases.case_id"), nullable=False),
        sa.Column("address_id", sa.Uuid(), sa.ForeignKey("addresses.address_id"), nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("disowned_at", _INSTANT, nullable=False),
        sa.Column("noted_at", _INSTANT, server_default=sa.text("clock_timestamp()"), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("held_because", sa.Text(), nullable=True),
        sa.Column("decided_by", sa.Uuid(), nullable=True),
        sa.Column("decided_at", _INSTANT, nullable=True),
        sa.Column("remark", sa.Text(), nullable=True),
    )
    op.create_index("ix_contact_doubts_noted_at", "contact_doubts", ["noted_at"])
    standing, waiting = sa.text("state <> 'confirmed'"), sa.text("state IN ('held', 'open')")
    columns = ["party_id", "address_id"]
    op.create_index("contact_doubts_standing", "contact_doubts", columns, unique=True, postgresql_where=standing)
    op.create_index("contact_doubts_waiting", "contact_doubts", ["disowned_at"], postgresql_where=waiting)
