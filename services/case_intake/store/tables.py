"""The tables. What identifies or reaches a party stands here only sealed, or as a keyed hash."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Date,
    DateTime,
    ForeignKey,
    Identity,
    Index,
    Integer,
    MetaData,
    Numeric,
    Table,
    Text,
    Uuid,
    false,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY

METADATA = MetaData()

cases = Table(
    "cases",
    METADATA,
    Column("id", Uuid, primary_key=True),
    Column("case_number", Text, nullable=False, unique=True),
    Column("court", Text, nullable=False),
    Column("filed_on", Date, nullable=False),
    Column("received_on", Date),
    Column("secured_on", Date),
    Column("basis_document", Text, nullable=False),
    Column("basis_maker", Text, nullable=False),
    Column("cause", Text, nullable=False),
    Column("claim_amount", Numeric(16, 2)),
    Column("obligation", Text),
    Column("non_litigation", Boolean, nullable=False, server_default=false()),
    Column("main_case", Text, index=True),
    Column("urgent", Boolean, nullable=False, server_default=false()),
    Column("ground", Text),
    Column("report_ordered", Boolean, nullable=False, server_default=false()),
    Column("changed_by", Uuid),  # a member, or the import that corrected it; empty: as it was filed
    Column("has_applicant", Boolean, nullable=False, server_default=false()),
    Column("has_respondent", Boolean, nullable=False, server_default=false()),
    Column("silent", Boolean, nullable=False),
    Column("filed_by", Uuid, nullable=False),
    Column("registered_at", DateTime(timezone=True), nullable=False),
    Column("awaits_rule", Boolean, nullable=False, server_default=false()),
    Column("open", Boolean, nullable=False, server_default=text("true")),
    Column("archived", Boolean, nullable=False, server_default=false()),
    Column("judge_id", Uuid),
    Column("handled_by", ARRAY(Uuid), nullable=False, server_default=text("'{}'")),  # all who ever were its judge
    Column("clerk_name", Text),
    Column("panel", Text),
    Column("department", Text),
    Column("rule", Text),
    Column("assigned_at", DateTime(timezone=True)),
    Column("assigned_by", Uuid),  # empty: nobody, or the rule
)
Index("cases_newest", cases.c.filed_on.desc(), cases.c.id.desc())
Index("cases_of_judge", cases.c.judge_id, postgresql_where=cases.c.open)
Index("cases_awaiting_rule", cases.c.id, postgresql_where=cases.c.awaits_rule)

parties = Table(
    "parties",
    METADATA,
    Column("id", Uuid, primary_key=True),
    Column("case_id", Uuid, ForeignKey("cases.id"), nullable=False),
    Column("role", Text, nullable=False),
    Column("consents", Boolean, nullable=False),
    Column("address_confirmed_on", Date),
    Column("minor", Boolean, nullable=False),
    Column("identity", Text, nullable=False),
    Column("id_index", Text, nullable=False),
    Column("phone_index", Text),
    Column("name_index", Text),
    Column("changed_by", Uuid),  # as that of a case
    Column("misfiled_at", DateTime(timezone=True)),
    Column("misfiled_by", Uuid),
    Column("phone_disowned_at", DateTime(timezone=True)),
    Column("email_disowned_at", DateTime(timezone=True)),
)
Index(
    "parties_once",
    parties.c.case_id,
    parties.c.role,
    parties.c.id_index,
    unique=True,
    postgresql_where=parties.c.misfiled_at.is_(None),
)
Index("parties_by_id_number", parties.c.id_index)
Index("parties_by_phone", parties.c.phone_index)
Index("parties_by_name", parties.c.name_index)
Index("parties_without_name_index", parties.c.id, postgresql_where=parties.c.name_index.is_(None))

judges = Table(
    "judges",
    METADATA,
    Column("staff_id", Uuid, primary_key=True),
    Column("court", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("phone", Text, nullable=False),
    Column("department", Text, nullable=False),
    Column("panel", Text),
    Column("active", Boolean, nullable=False),
    Column("powers", ARRAY(Text), nullable=False, server_default=text("'{implementation}'")),
)
"""Whoever can be given cases; `powers`: those whose cases they handle."""

presiding = Table(
    "presiding",
    METADATA,
    Column("staff_id", Uuid, primary_key=True),
    Column("panel", Text, nullable=False, index=True),
)

serials = Table(
    "serials",
    METADATA,
    Column("court", Text, primary_key=True),
    Column("kind", Text, primary_key=True),
    Column("year", Integer, primary_key=True),
    Column("last", BigInteger, nullable=False),
)

imports = Table(
    "imports",
    METADATA,
    Column("id", Uuid, primary_key=True),
    Column("file_name", Text, nullable=False),
    Column("file", Text, nullable=False),
    Column("rows", Integer, nullable=False),
    Column("silent", Boolean, nullable=False),
    Column("assign", Text, nullable=False),
    Column("received_by", Uuid, nullable=False),
    Column("received_name", Text),
    Column("received_at", DateTime(timezone=True), nullable=False),
    Column("done_at", DateTime(timezone=True)),
    Column("unreadable", Boolean, nullable=False, server_default=false()),
    Column("hold_minutes", Integer, nullable=False, server_default=text("0")),
    Column("recalled_at", DateTime(timezone=True)),
    Column("recalled_by", Uuid),
    Column("released_at", DateTime(timezone=True)),
    Column("released_by", Uuid),
    Column("untold", Boolean, nullable=False, server_default=false()),
)
Index("imports_untold", imports.c.id, postgresql_where=imports.c.untold)
Index("imports_open", imports.c.id, postgresql_where=imports.c.done_at.is_(None))

import_groups = Table(
    "import_groups",
    METADATA,
    Column("import_id", Uuid, ForeignKey("imports.id"), primary_key=True),
    Column("position", Integer, primary_key=True),
    Column("case_number", Text),
    Column("rows", Text, nullable=False),
    Column("outcome", Text),
    Column("case_id", Uuid),
    Column("notices", Text),
)
Index("import_groups_by_case", import_groups.c.case_id)
Index(
    "import_groups_to_do",
    import_groups.c.import_id,
    import_groups.c.position,
    postgresql_where=import_groups.c.outcome.is_(None),
)

import_faults = Table(
    "import_faults",
    METADATA,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("import_id", Uuid, ForeignKey("imports.id"), nullable=False),
    Column("line", Integer, nullable=False),
    Column("column", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("case_number", Text),
    Column("note", Boolean, nullable=False, server_default=false()),
)
Index("import_faults_in_order", import_faults.c.import_id, import_faults.c.line, import_faults.c.id)

import_drafts = Table(
    "import_drafts",
    METADATA,
    Column("id", Uuid, primary_key=True),
    Column("file_name", Text, nullable=False),
    Column("file", Text),
    Column("table_read", Text),
    Column("mends", Text),
    Column("silent", Boolean, nullable=False),
    Column("assign", Text, nullable=False),
    Column("hold_minutes", Integer, nullable=False),
    Column("received_by", Uuid, nullable=False),
    Column("received_name", Text),
    Column("received_at", DateTime(timezone=True), nullable=False),
)
Index("import_drafts_newest", import_drafts.c.received_at)
