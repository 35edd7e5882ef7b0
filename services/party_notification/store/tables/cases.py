"""What is known of cases, their parties and their clocks, told by other services."""

from sqlalchemy import (
    ARRAY,
    BigInteger,
    Boolean,
    Column,
    Date,
    ForeignKey,
    Index,
    Integer,
    Numeric,
    Table,
    Text,
    Uuid,
    text,
)

from services.party_notification.store.tables.base import INSTANT, METADATA
from shared.db.access import append_only

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
    Column("urgent", Boolean, nullable=False, server_default=text("false")),
    Column("ground", Text),
    Column("report_ordered", Boolean, nullable=False, server_default=text("false")),
    Column("judge_id", Uuid),
    Column("judge_name", Text),
    Column("judge_phone", Text),
    Column("clerk_name", Text),
    Column("panel", Text),
    Column("department", Text),
    Column("assigned_at", INSTANT),
    Column("hold_until", INSTANT),
    Column("recalled_at", INSTANT),
    Column("settle_at", INSTANT),
    Column("closed_on", Date),
    Column("handled_by", ARRAY(Text), nullable=False, server_default=text("'{}'")),
)
"""`handled_by`: the ids and names of all who ever handled the case: whoever hands it on does not become a stranger."""
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
    Column("added_at", INSTANT, nullable=False),
    Column("code", Text, nullable=False),
    Column("hold_until", INSTANT),
    Column("misfiled_at", INSTANT),
    Column("disowned", ARRAY(Uuid), nullable=False, server_default=text("'{}'")),
    Column("door_due", Boolean, nullable=False, server_default=text("false")),
    Column("contacts_due", Boolean, nullable=False, server_default=text("true")),
)
"""`disowned`: the addresses whose holder is not the party. `contacts_due`: where it is registered is not listed yet."""
Index("parties_door_due", parties.c.party_id, postgresql_where=parties.c.door_due)
Index("parties_contacts_due", parties.c.party_id, postgresql_where=parties.c.contacts_due)

progress = Table(
    "progress",
    METADATA,
    Column("case_id", Uuid, primary_key=True),
    Column("entry", BigInteger, primary_key=True),
    Column("at", INSTANT, nullable=False),
    Column("title", Text, nullable=False),
    Column("text", Text, nullable=False),
    Column("audience", Text, nullable=False),
    Column("not_before", INSTANT),
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
    Column("due_at", INSTANT, nullable=False),
    Column("provisional", Boolean, nullable=False),
    Column("met_at", INSTANT),
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
