"""The tables of the staff service. Sign-in lives by the database's time, not by the movable clock."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    DateTime,
    ForeignKey,
    Identity,
    Index,
    LargeBinary,
    MetaData,
    Table,
    Text,
    Uuid,
    false,
    func,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from shared.db.sealed import SealedTable

METADATA = MetaData()

NOW = func.now()
members = Table(
    "members",
    METADATA,
    Column("id", Uuid, primary_key=True),
    Column("login", Text, nullable=False, unique=True),
    Column("name", Text, nullable=False),
    Column("phone", Text, nullable=False),
    Column("department", Text, nullable=False),
    Column("panel", Text),
    Column("roles", ARRAY(Text), nullable=False),
    Column("waiting", ARRAY(Text), nullable=False, server_default="{}"),
    Column("court", Text, nullable=False),
    Column("active", Boolean, nullable=False),
    Column("must_change", Boolean, nullable=False),
    Column("doubted", Boolean, nullable=False, server_default=false()),
    Column("password_hash", Text, nullable=False),
    Column("changed_by", Uuid),  # empty: as they were added
    Column("created_at", DateTime(timezone=True), nullable=False, server_default=NOW),
    Column("told_at", DateTime(timezone=True), server_default=NOW),
)
"""`told_at`: when the other services were last told again of the member; empty: of before they were."""
Index("members_to_tell", members.c.told_at)

sessions = Table(
    "sessions",
    METADATA,
    Column("token_hash", LargeBinary, primary_key=True),
    Column("staff_id", Uuid, ForeignKey("members.id"), nullable=False),
    Column("opened_at", DateTime(timezone=True), nullable=False, server_default=NOW),
    Column("expires_at", DateTime(timezone=True), nullable=False),
    Column("revoked_at", DateTime(timezone=True)),
    Column("id", Uuid, nullable=False, unique=True, server_default=func.gen_random_uuid()),
    Column("factor_at", DateTime(timezone=True)),  # by the machine's clock, as tokens live
)
Index("sessions_of_member", sessions.c.staff_id)

court_changes = Table(
    "court_changes",
    METADATA,
    Column("id", Uuid, primary_key=True),
    Column("court", Text, nullable=False),
    Column("before", JSONB, nullable=False),
    Column("proposed", JSONB, nullable=False),
    Column("reason", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("proposed_by", Uuid, nullable=False),
    Column("proposer", Text, nullable=False),
    Column("proposed_at", DateTime(timezone=True), nullable=False),
    Column("decided_by", Uuid),
    Column("decider", Text),
    Column("decided_at", DateTime(timezone=True)),
)
Index(
    "court_changes_one_pending",
    court_changes.c.court,
    unique=True,
    postgresql_where=court_changes.c.state == "proposed",
)

door_events = Table(
    "door_events",
    METADATA,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("kind", Text, nullable=False),
    Column("staff_id", Uuid, ForeignKey("members.id"), nullable=False),
    Column("by", Uuid),  # empty: whoever has the machine itself
    Column("at", DateTime(timezone=True), nullable=False, server_default=NOW),
    Column("note", Text, nullable=False),
    Column("owner_saw_at", DateTime(timezone=True)),
    Column("reviewed_by", Uuid),
    Column("reviewed_at", DateTime(timezone=True)),
    Column("held", ARRAY(Text), nullable=False, server_default="{}"),  # posts that take effect with the review
    Column("doubts", Boolean, nullable=False, server_default=false()),  # whether its owner is doubted until the review
    Column("refused", Boolean, nullable=False, server_default=false()),
    Column("seen_from", Text),  # the address, sealed, and the device, hashed, where the owner saw it
    Column("seen_on", LargeBinary),
)
Index("door_events_of_member", door_events.c.staff_id)

api_tokens = Table(
    "api_tokens",
    METADATA,
    Column("id", Uuid, primary_key=True),
    Column("staff_id", Uuid, ForeignKey("members.id"), nullable=False),
    Column("name", Text, nullable=False),
    Column("scopes", ARRAY(Text), nullable=False),
    Column("secret_hash", LargeBinary, nullable=False, unique=True),
    Column("made_at", DateTime(timezone=True), nullable=False, server_default=NOW),
    Column("ends_at", DateTime(timezone=True), nullable=False),
    Column("last_used_at", DateTime(timezone=True)),
    Column("revoked_at", DateTime(timezone=True)),
)
Index("api_tokens_of_member", api_tokens.c.staff_id)

known_devices = Table(
    "known_devices",
    METADATA,
    Column("token_hash", LargeBinary, primary_key=True),
    Column("staff_id", Uuid, ForeignKey("members.id"), primary_key=True),
    Column("last_at", DateTime(timezone=True), nullable=False, server_default=NOW),
)
Index("devices_of_member", known_devices.c.staff_id)

factors = Table(
    "factors",
    METADATA,
    Column("staff_id", Uuid, ForeignKey("members.id"), primary_key=True),
    Column("secret", Text, nullable=False),
    Column("last_step", BigInteger, nullable=False),
    Column("enrolled_at", DateTime(timezone=True), nullable=False, server_default=NOW),
)

recovery_codes = Table(
    "recovery_codes",
    METADATA,
    Column("staff_id", Uuid, ForeignKey("factors.staff_id", ondelete="CASCADE"), primary_key=True),
    Column("mark", LargeBinary, primary_key=True),
)

enrolment_codes = Table(
    "enrolment_codes",
    METADATA,
    Column("staff_id", Uuid, ForeignKey("members.id"), primary_key=True),
    Column("mark", LargeBinary, nullable=False),
    Column("made_at", DateTime(timezone=True), nullable=False, server_default=NOW),
)

SEALED = (
    SealedTable(factors, {"secret": "{staff_id}/factor"}),
    SealedTable(door_events, {"seen_from": "{staff_id}/seen"}),
)
