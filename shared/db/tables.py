"""The tables that every service's database has beside its own: outbox, inbox, lanes, quarantine, answers given."""

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    DateTime,
    Identity,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    Uuid,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from shared.db.access import ALL, May

KIT = MetaData()

_NOW = func.clock_timestamp()

outbox = Table(
    "outbox",
    KIT,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("event_id", Uuid, nullable=False, unique=True),
    Column("topic", Text, nullable=False),
    Column("key", Text, nullable=False),
    Column("sequence", BigInteger, nullable=False),
    Column("value", LargeBinary, nullable=False),
    Column("written_at", DateTime(timezone=True), nullable=False, server_default=_NOW),
    Column("delivered_at", DateTime(timezone=True)),
    Column("delivered_to", Text),  # the log's identity; older builds left it empty
    Column("traceparent", Text),
)
Index("outbox_undelivered", outbox.c.id, postgresql_where=outbox.c.delivered_at.is_(None))
Index("outbox_delivered", outbox.c.key, outbox.c.id, postgresql_where=outbox.c.delivered_at.is_not(None))

sequences = Table(
    "outbox_sequences",
    KIT,
    Column("topic", Text, primary_key=True),
    Column("key", Text, primary_key=True),
    Column("last", BigInteger, nullable=False),
)

relay = Table(
    "outbox_relay",
    KIT,
    Column("only", Integer, primary_key=True, server_default=text("1")),
    Column("holder", Uuid),
    Column("epoch", BigInteger, nullable=False, server_default=text("0")),
    Column("until", DateTime(timezone=True)),
    Column("log_identity", Text),
    Column("refilled_to", BigInteger),  # while an empty log is filled again: up to which id its rows were looked at
    Column("told_topics", ARRAY(Text), nullable=False, server_default=text("'{}'")),  # troubles the desk knows of
)

inbox = Table(
    "inbox",
    KIT,
    Column("event_id", Uuid, primary_key=True),
    Column("handled_at", DateTime(timezone=True), nullable=False, server_default=_NOW),
)
Index("inbox_by_age", inbox.c.handled_at)

lanes = Table(
    "lanes",
    KIT,
    Column("topic", Text, primary_key=True),
    Column("key", Text, primary_key=True),
    Column("sequence", BigInteger, nullable=False, server_default=text("0")),
    Column("state", Text, nullable=False, server_default=text("'open'")),
    Column("reason", Text),
    Column("tries", Integer, nullable=False, server_default=text("0")),
    Column("since", DateTime(timezone=True)),
    Column("retry_at", DateTime(timezone=True)),
    Column("reported_at", DateTime(timezone=True)),
)
Index("lanes_not_open", lanes.c.retry_at, postgresql_where=lanes.c.state != "open")

lane_events = Table(
    "lane_events",
    KIT,
    Column("topic", Text, primary_key=True),
    Column("key", Text, primary_key=True),
    Column("sequence", BigInteger, primary_key=True),
    Column("value", LargeBinary, nullable=False),
)

replays = Table(
    "replays",
    KIT,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("topic", Text, nullable=False),
    Column("key", Text, nullable=False),
    Column("asked_by", Uuid, nullable=False),
    Column("reason", Text),
    Column("asked_at", DateTime(timezone=True), nullable=False, server_default=_NOW),
)

court_data = Table(
    "court_data",
    KIT,
    Column("only", Integer, primary_key=True, server_default=text("1")),
    Column("told", JSONB, nullable=False),  # the newest CourtDataChanged
)

quarantine = Table(
    "quarantine",
    KIT,
    Column("topic", Text, primary_key=True),
    Column("partition", Integer, primary_key=True),
    Column("offset", BigInteger, primary_key=True),
    Column("digest", LargeBinary, primary_key=True),
    Column("key", LargeBinary, nullable=False),
    Column("value", LargeBinary, nullable=False),
    Column("headers", JSONB, nullable=False),
    Column("why", Text, nullable=False),
    Column("arrived_at", DateTime(timezone=True), nullable=False, server_default=_NOW),
)

answers = Table(
    "answers",
    KIT,
    Column("scope", Text, primary_key=True),
    Column("key", Text, primary_key=True),
    Column("fingerprint", Text, nullable=False),
    Column("answer", JSONB, nullable=False),
    Column("given_at", DateTime(timezone=True), nullable=False, server_default=_NOW),
    CheckConstraint("jsonb_typeof(answer) = 'object'", name="answers_of_use"),
)
Index("answers_by_age", answers.c.given_at)

wrong_tries = Table(
    "wrong_tries",
    KIT,
    Column("mark", Text, primary_key=True),
    Column("tried", Integer, nullable=False),
    Column("last_at", DateTime(timezone=True), nullable=False),
    CheckConstraint("tried BETWEEN 0 AND 1000", name="wrong_tries_counted"),
)
Index("wrong_tries_old", wrong_tries.c.last_at)

set_aside = Table(
    "set_aside",
    KIT,
    Column("stream", Text, primary_key=True),
    Column("item", Text, primary_key=True),
    Column("reason", Text, nullable=False),
    Column("tries", Integer, nullable=False, server_default=text("1")),
    Column("since", DateTime(timezone=True), nullable=False, server_default=_NOW),
    Column("retry_at", DateTime(timezone=True), nullable=False),
    Column("reported_at", DateTime(timezone=True)),
)
Index("set_aside_told", set_aside.c.stream, set_aside.c.reported_at)

restorations = Table(
    "restorations",
    KIT,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("taken_at", DateTime(timezone=True), nullable=False),
    Column("restored_at", DateTime(timezone=True), nullable=False, server_default=_NOW),
)

canaries = Table(
    "canaries",
    KIT,
    Column("secret", Text, primary_key=True),
    Column("sealed", Text, nullable=False),
    Column("hashed", Text, nullable=False),
)

revocations = Table(
    "revocations",
    KIT,
    Column("revocation_id", Uuid, primary_key=True),
    Column("staff_id", Uuid, nullable=False),
    Column("session", Uuid),  # empty: all that the member was given until then
    Column("not_before", DateTime(timezone=True), nullable=False),
)
Index("revocations_by_age", revocations.c.not_before)

sandbox_clock = Table(
    "sandbox_clock",
    KIT,
    Column("only", Integer, primary_key=True),
    Column("offset_seconds", BigInteger, nullable=False),
)

PUBLIC_KIT = (
    May(answers, select=ALL, insert=("scope", "key", "fingerprint", "answer")),
    May(wrong_tries, select=ALL, insert=ALL, update=ALL, delete=True),
    May(sandbox_clock, select=ALL),
    May(court_data, select=ALL),
    May(canaries, select=ALL),
)
"""What every public process needs: answers to repeated requests, wrong tries, the moved clock, the court's data."""
