"""What the public process reaches: pages sealed to their party, and what it leaves for the inner network."""

from sqlalchemy import BigInteger, Boolean, Column, Identity, Index, LargeBinary, Table, Text, Uuid

from services.party_notification.store.tables.base import INSTANT, METADATA, NOW

doors = Table(
    "doors",
    METADATA,
    Column("party_id", Uuid, primary_key=True),
    Column("case_id", Uuid, nullable=False, index=True),
    Column("code_index", Text, nullable=False, unique=True),
    Column("code", Text),
    Column("salt", LargeBinary, nullable=False),
    Column("public_key", Text, nullable=False),
    Column("locked_key", Text, nullable=False),
    Column("closed", Boolean, nullable=False),
)
"""`code`: the slow hash of the query code, sealed, of which `code_index` is made; doors of before keep none."""

party_pages = Table(
    "party_pages",
    METADATA,
    Column("party_id", Uuid, primary_key=True),
    Column("case_id", Uuid, nullable=False),
    Column("page", Text, nullable=False),
    Column("refresh_at", INSTANT),
)
Index("party_pages_refresh", party_pages.c.refresh_at, postgresql_where=party_pages.c.refresh_at.is_not(None))

party_sheets = Table(
    "party_sheets",
    METADATA,
    Column("notice_id", Uuid, primary_key=True),
    Column("party_id", Uuid, nullable=False, index=True),
    Column("key_id", Text, nullable=False),
    Column("sheet", Text, nullable=False),
)

stale_pages = Table(
    "stale_pages",
    METADATA,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("case_id", Uuid, nullable=False),
)

receipt_posts = Table(
    "receipt_posts",
    METADATA,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("about", Uuid, nullable=False),
    Column("sealed", Text, nullable=False),
    Column("arrived_at", INSTANT, nullable=False, server_default=NOW),
)

disownings = Table(
    "disownings",
    METADATA,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("party_id", Uuid, nullable=False),
    Column("address_id", Uuid, nullable=False),
    Column("at", INSTANT, nullable=False, server_default=NOW),
)
