"""Letters on paper, and who printed them."""

from sqlalchemy import Column, Date, ForeignKey, Table, Text, UniqueConstraint, Uuid

from services.party_notification.store.tables.base import INSTANT, METADATA

paper = Table(
    "paper",
    METADATA,
    Column("paper_id", Uuid, primary_key=True),
    Column("case_id", ForeignKey("cases.case_id"), nullable=False),
    Column("party_id", ForeignKey("parties.party_id"), nullable=False),
    Column("cause", Uuid, nullable=False),
    Column("reason", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("created_at", INSTANT, nullable=False),
    Column("posted_at", INSTANT),
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

printings = Table(
    "printings",
    METADATA,
    Column("printing_id", Uuid, primary_key=True),
    Column("paper_id", ForeignKey("paper.paper_id"), nullable=False, index=True),
    Column("printed_by", Uuid, nullable=False),
    Column("printed_by_name", Text, nullable=False),
    Column("printed_at", INSTANT, nullable=False),
)
