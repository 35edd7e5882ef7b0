"""The tables. What may hold personal data or free text rests sealed about the case's id."""

from sqlalchemy import (
    ARRAY,
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Date,
    DateTime,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
    text,
)

from shared.db.access import append_only
from shared.ledger.store import ledger_tables

METADATA = MetaData()
LEDGER = ledger_tables(METADATA)

_INSTANT = DateTime(timezone=True)
_CASE = "cases.case_id"

cases = Table(
    "cases",
    METADATA,
    Column("case_id", Uuid, primary_key=True),
    Column("court", Text, nullable=False),
    Column("number", Text, nullable=False, index=True),
    Column("filed_on", Date, nullable=False),
    Column("received_on", Date),
    Column("secured_on", Date),
    Column("cause", Text, nullable=False),
    Column("administrative", Boolean, nullable=False),
    Column("silent", Boolean, nullable=False),
    Column("main_case", Text, index=True),
    Column("urgent", Boolean, nullable=False, server_default=text("false")),
    Column("ground", Text),
    Column("report_ordered", Boolean, nullable=False, server_default=text("false")),
    Column("extended", Boolean, nullable=False, server_default=text("false")),
    Column("facts_asked", Boolean, nullable=False, server_default=text("true")),  # false: of before somebody asked
    Column("period", Text),
    Column("judge_id", Uuid, index=True),
    Column("judge_name", Text),
    Column("clerk_name", Text),
    Column("panel", Text),
    Column("department", Text),
    Column("assigned_at", _INSTANT),
    Column("closed_on", Date),
    Column("next_due_at", _INSTANT),
    Column("next_kind", Text),
    Column("next_provisional", Boolean, nullable=False, server_default=text("false")),
)
Index("cases_by_urgency", cases.c.next_due_at, cases.c.case_id)
Index("cases_not_asked", cases.c.case_id, postgresql_where=~cases.c.facts_asked)

parties = Table(
    "parties",
    METADATA,
    Column("party_id", Uuid, primary_key=True),
    Column("case_id", ForeignKey(_CASE), nullable=False, index=True),
    Column("role", Text, nullable=False),
    Column("notice_sent_at", _INSTANT),
    Column("notice_served_on", Date),
    Column("notice_orders_report", Boolean),
    Column("misfiled_at", _INSTANT),
)

execution_notices = Table(
    "execution_notices",
    METADATA,
    Column("notice_id", Uuid, primary_key=True),
    Column("party_id", ForeignKey("parties.party_id"), nullable=False, index=True),
    Column("sent_at", _INSTANT),
    Column("served_on", Date),
)

periods = Table(
    "periods",
    METADATA,
    Column("case_id", ForeignKey(_CASE), primary_key=True),
    Column("period", Text, primary_key=True),
    Column("opened_on", Date, nullable=False),
    Column("closed_on", Date),
)

milestones = Table(
    "milestones",
    METADATA,
    Column("case_id", ForeignKey(_CASE), primary_key=True),
    Column("milestone", Text, primary_key=True),
    Column("owner_role", Text, nullable=False),
    Column("planned_on", Date),
    Column("provisional", Boolean, nullable=False, server_default=text("false")),
    Column("actual_on", Date),
    Column("by_notices", Boolean, nullable=False, server_default=text("false")),
)

deadlines = Table(
    "deadlines",
    METADATA,
    Column("id", Uuid, primary_key=True),
    Column("case_id", ForeignKey(_CASE), nullable=False),
    Column("kind", Text, nullable=False),
    Column("version", Integer, nullable=False),
    Column("start_on", Date, nullable=False),
    Column("due_on", Date, nullable=False),
    Column("due_at", _INSTANT, nullable=False),
    Column("rule", Text, nullable=False),
    Column("article", Text, nullable=False),
    Column("provisional", Boolean, nullable=False),
    Column("calendar_until", Date, nullable=False),
    Column("fired_at", _INSTANT),
    Column("met_at", _INSTANT),
    Column("superseded_at", _INSTANT),
    Column("told", Boolean, nullable=False, server_default=text("false")),
    UniqueConstraint("case_id", "kind", "version"),
)
_running = deadlines.c.met_at.is_(None) & deadlines.c.superseded_at.is_(None)
Index("deadlines_to_fire", deadlines.c.due_at, postgresql_where=_running & deadlines.c.fired_at.is_(None))
Index("deadlines_running", deadlines.c.calendar_until, postgresql_where=_running)

extensions = Table(
    "extensions",
    METADATA,
    Column("case_id", ForeignKey(_CASE), primary_key=True),
    Column("kind", Text, primary_key=True),
    Column("article", Text, primary_key=True),
    Column("amount", Integer, nullable=False),
    Column("unit", Text, nullable=False),
    Column("approved_on", Date, nullable=False),
    Column("recorded_by", Uuid, nullable=False),
    Column("recorded_at", _INSTANT, nullable=False),
)
"""Once for each clock and the law that allows it; who approved it and why stands in the log."""

tasks = Table(
    "tasks",
    METADATA,
    Column("id", Uuid, primary_key=True),
    Column("case_id", ForeignKey(_CASE), nullable=False, index=True),
    Column("kind", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("title", Text, nullable=False),
    Column("detail", Text, nullable=False),
    Column("owner_staff", Uuid),
    Column("owner_role", Text),
    Column("due_at", _INSTANT),
    Column("opened_at", _INSTANT, nullable=False),
    Column("done_at", _INSTANT),
    Column("done_by", Uuid),
    Column("awaits", ARRAY(Uuid)),
    CheckConstraint("num_nonnulls(owner_staff, owner_role) = 1", name="tasks_one_owner"),
)
_open = tasks.c.done_at.is_(None)
Index("tasks_open_once", tasks.c.case_id, tasks.c.kind, tasks.c.subject, unique=True, postgresql_where=_open)
Index("tasks_of_staff", tasks.c.owner_staff, tasks.c.due_at, postgresql_where=_open)
Index("tasks_of_role", tasks.c.owner_role, tasks.c.due_at, postgresql_where=_open)

case_powers = Table(
    "case_powers",
    METADATA,
    Column("case_id", ForeignKey(_CASE), primary_key=True),
    Column("staff_id", Uuid, primary_key=True),
    Column("power", Text, nullable=False),
    Column("since", _INSTANT, nullable=False),
)

members = Table(
    "members",
    METADATA,
    Column("staff_id", Uuid, primary_key=True),
    Column("name", Text, nullable=False),
    Column("roles", ARRAY(Text), nullable=False),
    Column("active", Boolean, nullable=False),
)

looks = Table(
    "looks",
    METADATA,
    Column("look_id", Uuid, primary_key=True),
    Column("by", Uuid, nullable=False),
    Column("by_name", Text, nullable=False),
    Column("seen", Text, nullable=False),
    Column("subject", Uuid, nullable=False),
    Column("case_id", Uuid),
    Column("case_number", Text),
    Column("own", Boolean, nullable=False),
    Column("reason", Text),
    Column("looked_at", _INSTANT, nullable=False),
)
Index("looks_newest", looks.c.looked_at.desc(), looks.c.look_id.desc())
Index("looks_of_case", looks.c.case_id, looks.c.looked_at)

log_days = Table(
    "log_days",
    METADATA,
    Column("day", Date, primary_key=True),
    Column("text", Text, nullable=False),
    Column("signature", Text, nullable=False),
    Column("key_id", Text, nullable=False),
    info=append_only(),
)

log_day_heads = Table(
    "log_day_heads",
    METADATA,
    Column("chain_id", String, primary_key=True),
    Column("position", BigInteger, primary_key=True),
    Column("digest", String(64), nullable=False),
    Column("day", Date, nullable=False),
    info=append_only(),
)
"""Where the chains that moved since the day before ended, as that day's record was signed."""
