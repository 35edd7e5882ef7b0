"""The tables of the staff service, and every query. Sign-in lives by the database's time, not by the movable clock."""

from dataclasses import asdict, dataclass, fields
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import (
    Boolean,
    Column,
    ColumnElement,
    DateTime,
    ForeignKey,
    Index,
    LargeBinary,
    MetaData,
    Row,
    Table,
    Text,
    Uuid,
    and_,
    delete,
    func,
    insert,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncConnection

from services.staff.domain import REFRESH, CourtChange, Member
from shared.contracts.staff import ChangeState, CourtData
from shared.powers import Role

METADATA = MetaData()

_NOW = func.now()
_KEEP = timedelta(days=1)

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
    Column("court", Text, nullable=False),
    Column("active", Boolean, nullable=False),
    Column("must_change", Boolean, nullable=False),
    Column("password_hash", Text, nullable=False),
    Column("created_at", DateTime(timezone=True), nullable=False, server_default=_NOW),
)

sessions = Table(
    "sessions",
    METADATA,
    Column("token_hash", LargeBinary, primary_key=True),
    Column("staff_id", Uuid, ForeignKey("members.id"), nullable=False),
    Column("opened_at", DateTime(timezone=True), nullable=False, server_default=_NOW),
    Column("expires_at", DateTime(timezone=True), nullable=False),
    Column("revoked_at", DateTime(timezone=True)),
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

_MEMBER = [members.c[field.name] for field in fields(Member)]


@dataclass(frozen=True)
class Proof:
    """What a password of an active member is checked against."""

    staff_id: UUID
    password_hash: str


def _member(row: Any) -> Member:
    return Member(**{**row._mapping, "roles": tuple(map(Role, row.roles))})  # noqa: SLF001 - SQLAlchemy's own name


async def by_id(conn: AsyncConnection, staff_id: UUID) -> Member | None:
    """One member."""
    row = (await conn.execute(select(*_MEMBER).where(members.c.id == staff_id))).one_or_none()
    return None if row is None else _member(row)


async def by_login(conn: AsyncConnection, login: str) -> Member | None:
    """One member, by what they sign in with."""
    row = (await conn.execute(select(*_MEMBER).where(members.c.login == login))).one_or_none()
    return None if row is None else _member(row)


async def page(conn: AsyncConnection, after: UUID | None, limit: int) -> list[Member]:
    """Members in the order in which they were added, those after `after`."""
    query = select(*_MEMBER).order_by(members.c.id).limit(limit)
    rows = await conn.execute(query if after is None else query.where(members.c.id > after))
    return [_member(row) for row in rows]


async def logins(conn: AsyncConnection) -> set[str]:
    """Every login there is."""
    return set((await conn.execute(select(members.c.login))).scalars())


async def locked(conn: AsyncConnection, staff_id: UUID) -> Member | None:
    """One member, held until the transaction ends."""
    row = (await conn.execute(select(*_MEMBER).where(members.c.id == staff_id).with_for_update())).one_or_none()
    return None if row is None else _member(row)


async def administrators(conn: AsyncConnection) -> list[Member]:
    """Everybody who can manage members, held until the transaction ends."""
    query = select(*_MEMBER).where(members.c.active, members.c.roles.contains([Role.ADMIN]))
    return [_member(row) for row in await conn.execute(query.order_by(members.c.id).with_for_update())]


async def add(conn: AsyncConnection, member: Member, password_hash: str) -> bool:
    """Add a member; False when the login is taken."""
    row = {**asdict(member), "password_hash": password_hash}
    statement = upsert(members).values(row).on_conflict_do_nothing(index_elements=["login"])
    return (await conn.execute(statement.returning(members.c.id))).one_or_none() is not None


async def change(conn: AsyncConnection, member: Member) -> None:
    """Write a member as they now are."""
    await conn.execute(update(members).where(members.c.id == member.id).values(asdict(member)))


async def proof(conn: AsyncConnection, login: str) -> Proof | None:
    """What an active member's password is checked against; None for anybody else."""
    query = select(members.c.id, members.c.password_hash).where(members.c.login == login, members.c.active)
    row = (await conn.execute(query)).one_or_none()
    return None if row is None else Proof(row.id, row.password_hash)


async def still_holds(conn: AsyncConnection, known: Proof) -> bool:
    """Whether the member is still active with the same password; holds them until the transaction ends."""
    query = select(members.c.id).where(members.c.id == known.staff_id, members.c.password_hash == known.password_hash)
    return (await conn.execute(query.where(members.c.active).with_for_update())).one_or_none() is not None


async def set_password(conn: AsyncConnection, staff_id: UUID, password_hash: str, *, must_change: bool) -> None:
    """Replace a password, and end every session that was opened with the old one."""
    values = {"password_hash": password_hash, "must_change": must_change}
    await conn.execute(update(members).where(members.c.id == staff_id).values(values))
    await revoke_all(conn, staff_id)


async def open_session(conn: AsyncConnection, staff_id: UUID, token_hash: bytes) -> None:
    """Keep the hash of a secret that renews a sign-in."""
    values = {"token_hash": token_hash, "staff_id": staff_id, "expires_at": _NOW + REFRESH}
    await conn.execute(insert(sessions).values(values))


async def whose_session(conn: AsyncConnection, token_hash: bytes) -> Member | None:
    """The active member whose session this is, while it is good."""
    good = (sessions.c.token_hash == token_hash) & sessions.c.revoked_at.is_(None) & (sessions.c.expires_at > _NOW)
    query = select(*_MEMBER).join(sessions, sessions.c.staff_id == members.c.id).where(good, members.c.active)
    row = (await conn.execute(query)).one_or_none()
    return None if row is None else _member(row)


async def revoke(conn: AsyncConnection, token_hash: bytes) -> None:
    """End one session."""
    await _revoke(conn, sessions.c.token_hash == token_hash)


async def revoke_all(conn: AsyncConnection, staff_id: UUID) -> None:
    """End every session of a member."""
    await _revoke(conn, sessions.c.staff_id == staff_id)


async def _revoke(conn: AsyncConnection, which: Any) -> None:
    await conn.execute(update(sessions).where(which, sessions.c.revoked_at.is_(None)).values(revoked_at=_NOW))


async def forget_old(conn: AsyncConnection) -> None:
    """Drop what no longer matters to anybody: sessions that ran out."""
    await conn.execute(delete(sessions).where(sessions.c.expires_at < _NOW - _KEEP))


async def lock_court(conn: AsyncConnection, court: str) -> None:
    """Changes of one court's data stand in line until the transaction ends."""
    await conn.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(f"court:{court}", 0))))


async def confirmed_data(conn: AsyncConnection, court: str) -> CourtData | None:
    """What was confirmed last; None while nothing was."""
    query = select(court_changes.c.proposed).where(_in_state(court, ChangeState.CONFIRMED))
    query = query.order_by(court_changes.c.decided_at.desc(), court_changes.c.id.desc()).limit(1)
    found = (await conn.execute(query)).scalar_one_or_none()
    return None if found is None else CourtData.model_validate(found)


async def pending_change(conn: AsyncConnection, court: str) -> CourtChange | None:
    """The change that waits for a second person."""
    row = (await conn.execute(select(court_changes).where(_in_state(court, ChangeState.PROPOSED)))).one_or_none()
    return None if row is None else _change(row)


async def court_change(conn: AsyncConnection, change_id: UUID) -> CourtChange | None:
    """One change."""
    row = (await conn.execute(select(court_changes).where(court_changes.c.id == change_id))).one_or_none()
    return None if row is None else _change(row)


async def court_change_page(conn: AsyncConnection, court: str, before: UUID | None, limit: int) -> list[CourtChange]:
    """Changes, newest first, those before `before`."""
    query = select(court_changes).where(court_changes.c.court == court).order_by(court_changes.c.id.desc())
    rows = await conn.execute((query if before is None else query.where(court_changes.c.id < before)).limit(limit))
    return [_change(row) for row in rows]


async def put_court_change(conn: AsyncConnection, change: CourtChange) -> None:
    """Keep a change, new or decided."""
    data = {"before": change.before.model_dump(), "proposed": change.proposed.model_dump()}
    values = {**asdict(change), **data, "state": change.state.value}
    statement = upsert(court_changes).values(values)
    await conn.execute(statement.on_conflict_do_update(index_elements=["id"], set_=values))


def _in_state(court: str, state: ChangeState) -> ColumnElement[bool]:
    return and_(court_changes.c.court == court, court_changes.c.state == state.value)


def _change(row: Row[Any]) -> CourtChange:
    values = dict(row._mapping)  # noqa: SLF001 - SQLAlchemy's own name
    data = {name: CourtData.model_validate(values.pop(name)) for name in ("before", "proposed")}
    return CourtChange(**{**values, **data, "state": ChangeState(values["state"])})
