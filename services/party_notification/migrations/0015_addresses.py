"""One row for each address, which everything else names by its id; and what may be hashed anew keeps its text sealed.

The row takes over the id of a message that went there, about which its address is sealed.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY

revision = "0015"
down_revision = "0014"

_ADDRESSES = """
INSERT INTO addresses (address_id, address, address_index)
SELECT DISTINCT ON (address_index) message_id, address, address_index FROM messages ORDER BY address_index, message_id
"""
_BY_HASH = "UPDATE {0} SET address_id = a.address_id FROM addresses a WHERE a.address_index = {0}.address_index"
_FOUND = {
    "messages": _BY_HASH.format("messages"),
    "deliveries": "UPDATE deliveries SET address_id = m.address_id FROM messages m "
    "WHERE m.message_id = deliveries.message_id",
    "receipts": _BY_HASH.format("receipts"),
}
_DISOWNED = """
UPDATE parties SET disowned_ids = ARRAY(
    SELECT address_id FROM addresses WHERE address_index = ANY(parties.disowned) ORDER BY address_id
) WHERE disowned <> '{}'
"""


def upgrade() -> None:
    op.create_table(
        "addresses",
        sa.Column("address_id", sa.Uuid(), primary_key=True),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("address_index", sa.Text(), nullable=False),
        sa.Column("end_index", sa.Text(), nullable=True),
    )
    op.create_index("ix_addresses_address_index", "addresses", ["address_index"])
    op.create_index("addresses_unmarked", "addresses", ["address_id"], postgresql_where=sa.text("end_index IS NULL"))
    op.execute(_ADDRESSES)
    for table, found in _FOUND.items():
        _by_id(table, found)
    op.create_index("deliveries_open", "deliveries", ["address_id"], postgresql_where=sa.text("state = 'intent'"))
    op.create_index("deliveries_address", "deliveries", ["address_id", "planned_at"])
    op.create_index("deliveries_provider", "deliveries", ["provider_id", "address_id"])
    _disowned()
    op.drop_table("contact_marks")  # the public pages ask the messages
    op.drop_column("notices", "check_index")  # a notice is checked by where its party was written to
    for name in ("source_mark", "device_mark"):
        op.drop_column("readings", name)  # compared by what the evidence says
    op.add_column("doors", sa.Column("code", sa.Text(), nullable=True))


def _by_id(table: str, found: str) -> None:
    """The id in place of the hash; the hash's indexes go with it."""
    op.add_column(table, sa.Column("address_id", sa.Uuid(), nullable=True))
    op.execute(found)
    if table != "receipts":  # some speak of a number to which nothing went
        op.alter_column(table, "address_id", nullable=False)
    op.create_foreign_key(f"{table}_address_id_fkey", table, "addresses", ["address_id"], ["address_id"])
    op.drop_column(table, "address_index")


def _disowned() -> None:
    empty = sa.text("'{}'")
    op.add_column("parties", sa.Column("disowned_ids", ARRAY(sa.Uuid()), server_default=empty, nullable=False))
    op.execute(_DISOWNED)
    op.drop_column("parties", "disowned")
    op.alter_column("parties", "disowned_ids", new_column_name="disowned")
    op.add_column("disownings", sa.Column("address_id", sa.Uuid(), nullable=True))
    op.execute(_BY_HASH.format("disownings"))
    op.execute("DELETE FROM disownings WHERE address_id IS NULL")  # no message went there
    op.alter_column("disownings", "address_id", nullable=False)
    op.drop_column("disownings", "address_index")
