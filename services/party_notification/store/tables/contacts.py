"""Under which telephones and mailboxes parties are registered, and which of those somebody disowned."""

from sqlalchemy import Column, ForeignKey, Index, Table, Text, Uuid

from services.party_notification.store.tables.base import INSTANT, METADATA, NOW

party_contacts = Table(
    "party_contacts",
    METADATA,
    Column("party_id", Uuid, primary_key=True),
    Column("address_id", ForeignKey("addresses.address_id"), primary_key=True),
)
"""Where a party is registered now, whether or not anything went there yet."""

contact_doubts = Table(
    "contact_doubts",
    METADATA,
    Column("doubt_id", Uuid, primary_key=True),
    Column("party_id", ForeignKey("parties.party_id"), nullable=False),
    Column("case_id", ForeignKey("cases.case_id"), nullable=False),
    Column("address_id", ForeignKey("addresses.address_id"), nullable=False),
    Column("channel", Text, nullable=False),
    Column("disowned_at", INSTANT, nullable=False),
    Column("noted_at", INSTANT, nullable=False, index=True, server_default=NOW),
    Column("state", Text, nullable=False),
    Column("held_because", Text),
    Column("decided_by", Uuid),
    Column("decided_at", INSTANT),
    Column("remark", Text),
)
"""Each time that somebody said an address is not the party's, and what became of it. `noted_at`: machine time."""
Index(
    "contact_doubts_standing",
    contact_doubts.c.party_id,
    contact_doubts.c.address_id,
    unique=True,
    postgresql_where=contact_doubts.c.state != "confirmed",
)
Index(
    "contact_doubts_waiting",
    contact_doubts.c.disowned_at,
    postgresql_where=contact_doubts.c.state.in_(("held", "open")),
)
