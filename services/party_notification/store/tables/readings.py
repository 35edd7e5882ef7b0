"""Readings by parties, and where staff are signed in: by the keyed hash of the place, kept for 30 days."""

from sqlalchemy import CheckConstraint, Column, ForeignKey, Index, Table, Text, UniqueConstraint, Uuid

from services.party_notification.store.tables.base import INSTANT, METADATA

reads = Table(
    "reads",
    METADATA,
    Column("notice_id", ForeignKey("notices.notice_id"), primary_key=True),
    Column("first_read_at", INSTANT, nullable=False),
)

readings = Table(
    "readings",
    METADATA,
    Column("reading_id", Uuid, primary_key=True),
    Column("notice_id", ForeignKey("notices.notice_id"), nullable=False),
    Column("party_id", Uuid, nullable=False, index=True),
    Column("visit", Uuid, nullable=False),
    Column("read_at", INSTANT, nullable=False),
    Column("evidence", Text, nullable=False),
    Column("state", Text, nullable=False, server_default="new"),
    Column("doubt", Text),
    Column("decided_by", Uuid),
    Column("decided_at", INSTANT),
    Column("remark", Text),
    UniqueConstraint("notice_id", "visit"),
    CheckConstraint("read_at BETWEEN '2000-01-01Z' AND '2999-12-31Z'", name="readings_read"),
)
Index("readings_new", readings.c.reading_id, postgresql_where=readings.c.state == "new")
Index("readings_doubtful", readings.c.read_at, postgresql_where=readings.c.state == "doubtful")

staff_marks = Table(
    "staff_marks",
    METADATA,
    Column("mark", Text, primary_key=True),
    Column("staff_id", Uuid, primary_key=True),
    Column("name", Text, nullable=False),
    Column("seen_at", INSTANT, nullable=False, index=True),
)
