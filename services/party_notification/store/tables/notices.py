"""Notices: what is owed, to whom, and whether it was served."""

from sqlalchemy import BigInteger, Boolean, Column, Date, ForeignKey, Index, Table, Text, UniqueConstraint, Uuid, text

from services.party_notification.store.tables.base import INSTANT, METADATA

notices = Table(
    "notices",
    METADATA,
    Column("notice_id", Uuid, primary_key=True),
    Column("case_id", ForeignKey("cases.case_id"), nullable=False, index=True),
    Column("party_id", ForeignKey("parties.party_id"), nullable=False, index=True),
    Column("role", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("cause", Uuid, nullable=False),
    Column("entry", BigInteger),
    Column("number", Text, nullable=False, unique=True),
    Column("state", Text, nullable=False),
    Column("waits_reason", Text),
    Column("waits_owner", Text),
    Column("way", Text),
    Column("consents", Boolean),
    Column("address_confirmed_on", Date),
    Column("letter", Text),
    Column("letter_name", Text),
    Column("report_ordered", Boolean, nullable=False, server_default=text("false")),
    Column("letter_sha256", Text),
    Column("created_at", INSTANT, nullable=False),
    Column("issued_at", INSTANT),
    Column("sent_at", INSTANT),
    Column("lapsed_at", INSTANT),
    Column("served_on", Date),
    Column("served_by", Text),
    Column("served_because", Text),
    UniqueConstraint("cause", "party_id", "kind"),
)
Index("notices_waiting", notices.c.case_id, postgresql_where=notices.c.state == "waiting")
