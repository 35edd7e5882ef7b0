"""SMS and mails on their way: what they say, each attempt, and all that came back."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Identity,
    Index,
    Integer,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
    text,
)

from services.party_notification.store.tables.base import INSTANT, METADATA, NOW

sms_templates = Table(
    "sms_templates",
    METADATA,
    Column("key", Text, primary_key=True),
    Column("body", Text, nullable=False),
    Column("code", Text),
    Column("approved_at", INSTANT),
    Column("trouble", Text),
)

messages = Table(
    "messages",
    METADATA,
    Column("message_id", Uuid, primary_key=True),
    Column("case_id", ForeignKey("cases.case_id"), nullable=False, index=True),
    Column("party_id", ForeignKey("parties.party_id"), nullable=False),
    Column("cause", Uuid, nullable=False),
    Column("channel", Text, nullable=False),
    Column("address", Text, nullable=False),
    Column("address_id", ForeignKey("addresses.address_id"), nullable=False),
    Column("template_key", ForeignKey("sms_templates.key")),
    Column("params", Text),
    Column("content", Text, nullable=False),
    Column("content_sha256", Text, nullable=False),
    Column("possibly_twice", Boolean, nullable=False, server_default=text("false")),
    Column("traceparent", Text),
    Column("created_at", INSTANT, nullable=False),
    Column("withdrawn", Text),
    Column("corrects", Boolean, nullable=False, server_default=text("false")),
    Column("says_mailed", Boolean, nullable=False, server_default=text("false")),
    Column("alt_template_key", ForeignKey("sms_templates.key")),
    Column("alt_params", Text),
    Column("alt_content", Text),
    Column("alt_content_sha256", Text),
    Column("retracts", Uuid),
    UniqueConstraint("party_id", "channel", "cause"),
)
Index("messages_retracting", messages.c.retracts, postgresql_where=messages.c.retracts.is_not(None))

message_notices = Table(
    "message_notices",
    METADATA,
    Column("message_id", ForeignKey("messages.message_id"), primary_key=True),
    Column("notice_id", ForeignKey("notices.notice_id"), primary_key=True, index=True),
)

deliveries = Table(
    "deliveries",
    METADATA,
    Column("delivery_id", Uuid, primary_key=True),
    Column("message_id", ForeignKey("messages.message_id"), nullable=False),
    Column("channel", Text, nullable=False),
    Column("address_id", ForeignKey("addresses.address_id"), nullable=False),
    Column("attempt", Integer, nullable=False),
    Column("state", Text, nullable=False),
    Column("step", Text, nullable=False),
    Column("due_at", INSTANT),
    Column("reason", Text),
    Column("out_id", Text),
    Column("provider_id", Text),
    Column("epoch", BigInteger, nullable=False, server_default=text("0")),
    Column("planned_at", INSTANT, nullable=False, server_default=NOW),
    UniqueConstraint("message_id", "attempt"),
)
Index("deliveries_due", deliveries.c.channel, deliveries.c.due_at, postgresql_where=deliveries.c.due_at.is_not(None))
Index("deliveries_open", deliveries.c.address_id, postgresql_where=deliveries.c.state == "intent")
Index("deliveries_step", deliveries.c.step, deliveries.c.due_at, postgresql_where=deliveries.c.due_at.is_not(None))
Index("deliveries_address", deliveries.c.address_id, deliveries.c.planned_at)
Index("deliveries_provider", deliveries.c.provider_id, deliveries.c.address_id)
Index("deliveries_person", deliveries.c.planned_at, postgresql_where=deliveries.c.step == "person")

observations = Table(
    "observations",
    METADATA,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("delivery_id", ForeignKey("deliveries.delivery_id"), nullable=False, index=True),
    Column("seen", Text, nullable=False),
    Column("noted_at", INSTANT, nullable=False, server_default=NOW),
    Column("product_time", INSTANT, nullable=False),
    Column("permanent", Boolean, nullable=False),
    Column("epoch", BigInteger),
    Column("detail", Text),
    Column("raw", Text),
    Column("noted_by", Uuid),
)

receipts = Table(
    "receipts",
    METADATA,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("mark", Text, nullable=False, unique=True),
    Column("provider", Text, nullable=False),
    Column("provider_id", Text, nullable=False),
    Column("address_id", ForeignKey("addresses.address_id")),
    Column("delivered", Boolean, nullable=False),
    Column("raw", Text, nullable=False),
    Column("arrived_at", INSTANT, nullable=False, server_default=NOW),
    Column("delivery_id", ForeignKey("deliveries.delivery_id")),
)
"""`address_id` is empty when nobody was ever written to at the number."""
Index("receipts_orphans", receipts.c.provider_id, postgresql_where=receipts.c.delivery_id.is_(None))

faulty_receipts = Table(
    "faulty_receipts",
    METADATA,
    Column("mark", Text, primary_key=True),
    Column("provider", Text, nullable=False),
    Column("raw", Text, nullable=False),
    Column("fault", Text, nullable=False),
    Column("arrived_at", INSTANT, nullable=False, server_default=NOW),
)
Index("faulty_receipts_by_age", faulty_receipts.c.arrived_at)
