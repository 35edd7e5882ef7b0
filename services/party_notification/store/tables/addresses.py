"""Where parties are, or were, written to: one row for each telephone and mailbox, named by its id everywhere else.

So only these rows are hashed anew when index keys change, and whatever belongs to one address stays together.
"""

from sqlalchemy import Column, Index, Table, Text, Uuid

from services.party_notification.store.tables.base import METADATA

addresses = Table(
    "addresses",
    METADATA,
    Column("address_id", Uuid, primary_key=True),
    Column("address", Text, nullable=False),
    Column("address_index", Text, nullable=False, index=True),
    Column("end_index", Text),
)
"""`address_index` finds the whole address, `end_index` what anybody may type of it; the public process sees the latter.

An address that an older release wrote to has no `end_index` until the service has hashed it.
"""
Index("addresses_unmarked", addresses.c.address_id, postgresql_where=addresses.c.end_index.is_(None))
