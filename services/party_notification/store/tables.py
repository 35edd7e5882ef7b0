"""The tables. Names, telephones, addresses, texts and letters rest sealed; hashes find them."""

from sqlalchemy import (
    ARRAY,
    BigInteger,
    Boolean,
    Column,
    Date,
    DateTime,
    ForeignKey,
    Identity,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Numeric,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
    func,
    text,
)

from shared.db.access import append_only
from shared.ledger.store import ledger_tables

METADATA = MetaData()
LEDGER = ledger_tables(METADATA)

NOW = func.clock_timestamp()
_INSTANT = DateTime(timezone=True)

cases = Table(
    "cases",
    METADATA,
    Column("case_id", Uuid, primary_key=True),
    Column("case_number", Text, nullable=False, index=True),
    Column("court", Text, nullable=False),
    Column("filed_on", Date, nullable=False),
    Column("basis_document", Text, nullable=False),
    Column("basis_maker", Text, nullable=False),
    Column("cause", Text, nullable=False),
    Column("claim_amount", Numeric(16, 2)),
    Column("obligation", Text),
    Column("main_case", Text),
    Column("judge_id", Uuid),
    Column("judge_name", Text),
    Column("judge_phone", Text),
    Column("clerk_name", Text),
    Column("panel", Text),
    Column("department", Text),
    Column("assigned_at", _INSTANT),
    Column("hold_until", _INSTANT),
    Column("recalled_at", _INSTANT),
    Column("settle_at", _INSTANT),
    Column("closed_on", Date),
)
Index("cases_to_settle", cases.c.settle_at, postgresql_where=cases.c.settle_at.is_not(None))
Index("cases_recalled", cases.c.case_id, postgresql_where=cases.c.recalled_at.is_not(None))

parties = Table(
    "parties",
    METADATA,
    Column("party_id", Uuid, primary_key=True),
    Column("case_id", ForeignKey("cases.case_id"), nullable=False, index=True),
    Column("role", Text, nullable=False),
    Column("consents", Boolean, nullable=False),
    Column("address_confirmed_on", Date),
    Column("minor", Boolean, nullable=False),
    Column("identity", Text, nullable=False),
    Column("silent", Boolean, nullable=False),
    Column("added_at", _INSTANT, nullable=False),
    Column("code", Text, nullable=False),
    Column("hold_until", _INSTANT),
    Column("misfiled_at", _INSTANT),
    Column("disowned", ARRAY(Text), nullable=False, server_default=text("'{}'")),
    Column("door_due", Boolean, nullable=False, server_default=text("false")),
)
Index("parties_door_due", parties.c.party_id, postgresql_where=parties.c.door_due)

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
    Column("check_index", Text),
    Column("state", Text, nullable=False),
    Column("waits_reason", Text),
    Column("waits_owner", Text),
    Column("way", Text),
    Column("consents", Boolean),
    Column("address_confirmed_on", Date),
    Column("letter", Text),
    Column("letter_name", Text),
    Column("letter_sha256", Text),
    Column("created_at", _INSTANT, nullable=False),
    Column("issued_at", _INSTANT),
    Column("sent_at", _INSTANT),
    Column("lapsed_at", _INSTANT),
    Column("served_on", Date),
    Column("served_by", Text),
    Column("served_because", Text),
    UniqueConstraint("cause", "party_id", "kind"),
)
Index("notices_waiting", notices.c.case_id, postgresql_where=notices.c.state == "waiting")

sms_templates = Table(
    "sms_templates",
    METADATA,
    Column("key", Text, primary_key=True),
    Column("body", Text, nullable=False),
    Column("code", Text),
    Column("approved_at", _INSTANT),
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
    Column("address_index", Text, nullable=False),
    Column("template_key", ForeignKey("sms_templates.key")),
    Column("params", Text),
    Column("content", Text, nullable=False),
    Column("content_sha256", Text, nullable=False),
    Column("possibly_twice", Boolean, nullable=False, server_default=text("false")),
    Column("traceparent", Text),
    Column("created_at", _INSTANT, nullable=False),
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
    Column("address_index", Text, nullable=False),
    Column("attempt", Integer, nullable=False),
    Column("state", Text, nullable=False),
    Column("step", Text, nullable=False),
    Column("due_at", _INSTANT),
    Column("reason", Text),
    Column("out_id", Text),
    Column("provider_id", Text),
    Column("epoch", BigInteger, nullable=False, server_default=text("0")),
    Column("planned_at", _INSTANT, nullable=False, server_default=NOW),
    UniqueConstraint("message_id", "attempt"),
)
Index("deliveries_due", deliveries.c.channel, deliveries.c.due_at, postgresql_where=deliveries.c.due_at.is_not(None))
Index("deliveries_open", deliveries.c.address_index, postgresql_where=deliveries.c.state == "intent")
Index("deliveries_step", deliveries.c.step, deliveries.c.due_at, postgresql_where=deliveries.c.due_at.is_not(None))
Index("deliveries_address", deliveries.c.address_index, deliveries.c.planned_at)
Index("deliveries_provider", deliveries.c.provider_id, deliveries.c.address_index)
Index("deliveries_person", deliveries.c.planned_at, postgresql_where=deliveries.c.step == "person")

observations = Table(
    "observations",
    METADATA,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("delivery_id", ForeignKey("deliveries.delivery_id"), nullable=False, index=True),
    Column("seen", Text, nullable=False),
    Column("noted_at", _INSTANT, nullable=False, server_default=NOW),
    Column("product_time", _INSTANT, nullable=False),
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
    Column("address_index", Text, nullable=False),
    Column("delivered", Boolean, nullable=False),
    Column("raw", Text, nullable=False),
    Column("arrived_at", _INSTANT, nullable=False, server_default=NOW),
    Column("delivery_id", ForeignKey("deliveries.delivery_id")),
)
Index("receipts_orphans", receipts.c.provider_id, postgresql_where=receipts.c.delivery_id.is_(None))

faulty_receipts = Table(
    "faulty_receipts",
    METADATA,
    Column("mark", Text, primary_key=True),
    Column("provider", Text, nullable=False),
    Column("raw", Text, nullable=False),
    Column("fault", Text, nullable=False),
    Column("arrived_at", _INSTANT, nullable=False, server_default=NOW),
)
Index("faulty_receipts_by_age", faulty_receipts.c.arrived_at)

paper = Table(
    "paper",
    METADATA,
    Column("paper_id", Uuid, primary_key=True),
    Column("case_id", ForeignKey("cases.case_id"), nullable=False),
    Column("party_id", ForeignKey("parties.party_id"), nullable=False),
    Column("cause", Uuid, nullable=False),
    Column("reason", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("created_at", _INSTANT, nullable=False),
    Column("posted_at", _INSTANT),
    Column("tracking", Text),
    Column("served_on", Date),
    Column("remark", Text),
    UniqueConstraint("party_id", "cause"),
)

paper_notices = Table(
    "paper_notices",
    METADATA,
    Column("paper_id", ForeignKey("paper.paper_id"), primary_key=True),
    Column("notice_id", ForeignKey("notices.notice_id"), primary_key=True, index=True),
    Column("letter", Text),
)

reads = Table(
    "reads",
    METADATA,
    Column("notice_id", ForeignKey("notices.notice_id"), primary_key=True),
    Column("first_read_at", _INSTANT, nullable=False),
)

doors = Table(
    "doors",
    METADATA,
    Column("party_id", Uuid, primary_key=True),
    Column("case_id", Uuid, nullable=False, index=True),
    Column("code_index", Text, nullable=False, unique=True),
    Column("salt", LargeBinary, nullable=False),
    Column("public_key", Text, nullable=False),
    Column("locked_key", Text, nullable=False),
    Column("closed", Boolean, nullable=False),
)

party_pages = Table(
    "party_pages",
    METADATA,
    Column("party_id", Uuid, primary_key=True),
    Column("case_id", Uuid, nullable=False),
    Column("page", Text, nullable=False),
    Column("refresh_at", _INSTANT),
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

contact_marks = Table(
    "contact_marks",
    METADATA,
    Column("party_id", Uuid, primary_key=True),
    Column("address_index", Text, primary_key=True),
    Column("channel", Text, nullable=False),
    Column("mark", Text, nullable=False),
)

receipt_posts = Table(
    "receipt_posts",
    METADATA,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("about", Uuid, nullable=False),
    Column("sealed", Text, nullable=False),
    Column("arrived_at", _INSTANT, nullable=False, server_default=NOW),
)

disownings = Table(
    "disownings",
    METADATA,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("party_id", Uuid, nullable=False),
    Column("address_index", Text, nullable=False),
    Column("at", _INSTANT, nullable=False, server_default=NOW),
)

readings = Table(
    "readings",
    METADATA,
    Column("reading_id", Uuid, primary_key=True),
    Column("notice_id", ForeignKey("notices.notice_id"), nullable=False),
    Column("party_id", Uuid, nullable=False, index=True),
    Column("visit", Uuid, nullable=False),
    Column("read_at", _INSTANT, nullable=False),
    Column("source_mark", Text, nullable=False),
    Column("device_mark", Text),
    Column("evidence", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("doubt", Text),
    Column("decided_by", Uuid),
    Column("decided_at", _INSTANT),
    Column("remark", Text),
    UniqueConstraint("notice_id", "visit"),
)
Index("readings_new", readings.c.reading_id, postgresql_where=readings.c.state == "new")
Index("readings_doubtful", readings.c.read_at, postgresql_where=readings.c.state == "doubtful")

staff_marks = Table(
    "staff_marks",
    METADATA,
    Column("mark", Text, primary_key=True),
    Column("staff_id", Uuid, primary_key=True),
    Column("name", Text, nullable=False),
    Column("seen_at", _INSTANT, nullable=False, index=True),
)

printings = Table(
    "printings",
    METADATA,
    Column("printing_id", Uuid, primary_key=True),
    Column("paper_id", ForeignKey("paper.paper_id"), nullable=False, index=True),
    Column("printed_by", Uuid, nullable=False),
    Column("printed_by_name", Text, nullable=False),
    Column("printed_at", _INSTANT, nullable=False),
)

progress = Table(
    "progress",
    METADATA,
    Column("case_id", Uuid, primary_key=True),
    Column("entry", BigInteger, primary_key=True),
    Column("at", _INSTANT, nullable=False),
    Column("title", Text, nullable=False),
    Column("text", Text, nullable=False),
    Column("audience", Text, nullable=False),
    Column("not_before", _INSTANT),
    Column("notify", Boolean, nullable=False),
    Column("cause", Uuid, nullable=False),
)

periods = Table(
    "periods",
    METADATA,
    Column("case_id", Uuid, primary_key=True),
    Column("period", Text, primary_key=True),
    Column("opened_on", Date, nullable=False),
)

clocks = Table(
    "clocks",
    METADATA,
    Column("case_id", Uuid, primary_key=True),
    Column("kind", Text, primary_key=True),
    Column("version", Integer, nullable=False),
    Column("due_at", _INSTANT, nullable=False),
    Column("provisional", Boolean, nullable=False),
    Column("met_at", _INSTANT),
)

log_days = Table(
    "log_days",
    METADATA,
    Column("day", Date, primary_key=True),
    Column("text", Text, nullable=False),
    Column("signature", Text, nullable=False),
    Column("key_id", Text, nullable=False),
    info=append_only(),
)
"""The signed days of the case log as they were first told."""
