"""Members, and what their passwords are checked against."""

from collections.abc import Collection
from dataclasses import asdict, dataclass, fields
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import exists, or_, select, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncConnection

from services.staff.domain.doors import DoorKind
from services.staff.domain.people import Member
from services.staff.store.tables import NOW, door_events, factors, members
from shared.db.lists import Part, Sorting
from shared.powers import Role

MEMBER = [members.c[field.name] for field in fields(Member)]


@dataclass(frozen=True)
class Proof:
    """What a password of an active member is checked against; `initial`: an administrator has just given it."""

    staff_id: UUID
    password_hash: str
    initial: bool


def as_member(row: Any) -> Member:
    """A row of `MEMBER`."""
    roles = {name: tuple(map(Role, getattr(row, name))) for name in ("roles", "waiting")}
    return Member(**{**row._mapping, **roles})  # noqa: SLF001 - SQLAlchemy's own name


async def by_id(conn: AsyncConnection, staff_id: UUID) -> Member | None:
    """One member."""
    row = (await conn.execute(select(*MEMBER).where(members.c.id == staff_id))).one_or_none()
    return None if row is None else as_member(row)


async def by_login(conn: AsyncConnection, login: str) -> Member | None:
    """One member, by what they sign in with."""
    row = (await conn.execute(select(*MEMBER).where(members.c.login == login))).one_or_none()
    return None if row is None else as_member(row)


@dataclass(frozen=True)
class Wanted:
    """Which members: of a department, with a post, at work or not."""

    department: str = ""
    role: str = ""
    active: bool | None = None


SORTING = Sorting(
    {
        "added": members.c.id,
        "name": members.c.name,
        "login": members.c.login,
        "department": members.c.department,
        "panel": members.c.panel,
    },
    members.c.id,
    "added",
)


async def page(conn: AsyncConnection, wanted: Wanted, part: Part) -> tuple[list[Member], str | None]:
    """Members in the order in which they were added, unless asked otherwise, and where the list goes on."""
    query = select(*MEMBER)
    if wanted.department:
        query = query.where(members.c.department == wanted.department)
    if wanted.role:
        query = query.where(members.c.roles.contains([wanted.role]))
    if wanted.active is not None:
        query = query.where(members.c.active.is_(wanted.active))
    rows, following = await SORTING.part(conn, query, part)
    return [as_member(row) for row in rows], following


async def logins(conn: AsyncConnection) -> set[str]:
    """Every login there is."""
    return set((await conn.execute(select(members.c.login))).scalars())


async def locked(conn: AsyncConnection, staff_id: UUID) -> Member | None:
    """One member, held until the transaction ends."""
    row = (await conn.execute(select(*MEMBER).where(members.c.id == staff_id).with_for_update())).one_or_none()
    return None if row is None else as_member(row)


async def held(conn: AsyncConnection, staff_id: UUID) -> Member | None:
    """One member, whom nobody changes, and whose sign-in nobody takes back, until the transaction ends."""
    query = select(*MEMBER).where(members.c.id == staff_id).with_for_update(read=True)
    row = (await conn.execute(query)).one_or_none()
    return None if row is None else as_member(row)


async def to_tell(conn: AsyncConnection, every: timedelta, limit: int) -> list[Member]:
    """Members whom the others were not told of for so long, by the database's time; marked as told, and held."""
    due = or_(members.c.told_at.is_(None), members.c.told_at < NOW - every)
    some = select(members.c.id).where(due).order_by(members.c.id).limit(limit).with_for_update(skip_locked=True)
    told = update(members).where(members.c.id.in_(some.scalar_subquery())).values(told_at=NOW)
    return [as_member(row) for row in await conn.execute(told.returning(*MEMBER))]


async def administrators(conn: AsyncConnection) -> list[Member]:
    """Everybody who can manage members, held until the transaction ends."""
    query = select(*MEMBER).where(members.c.active, members.c.roles.contains([Role.ADMIN]))
    return [as_member(row) for row in await conn.execute(query.order_by(members.c.id).with_for_update())]


async def can_confirm(conn: AsyncConnection, but: Collection[UUID] = ()) -> bool:
    """Whether the integrity office has somebody, other than these, who has come in at least once: with a factor."""
    entered = (DoorKind.FACTOR_SET, DoorKind.FACTOR_RESET)
    has_factor = exists().where(factors.c.staff_id == members.c.id)
    had_one = exists().where(door_events.c.staff_id == members.c.id, door_events.c.kind.in_([*entered]))
    here = members.c.active & members.c.roles.contains([Role.INTEGRITY]) & members.c.id.not_in(but)
    return bool((await conn.execute(select(exists().where(here, has_factor | had_one)))).scalar())


async def add(conn: AsyncConnection, member: Member, password_hash: str) -> bool:
    """Add a member; False when the login is taken."""
    row = {**_written(member), "password_hash": password_hash}
    statement = upsert(members).values(row).on_conflict_do_nothing(index_elements=["login"])
    return (await conn.execute(statement.returning(members.c.id))).one_or_none() is not None


async def change(conn: AsyncConnection, member: Member, by: UUID | None) -> None:
    """Write a member as they now are, and who made them so."""
    values = {**_written(member), "changed_by": by}
    await conn.execute(update(members).where(members.c.id == member.id).values(values))


def _written(member: Member) -> dict[str, Any]:
    """All but the doubt, which goes with the record."""
    return {name: value for name, value in asdict(member).items() if name != "doubted"}


async def changed_by(conn: AsyncConnection, staff_id: UUID) -> UUID | None:
    """Who changed a member last; None: nobody since they were added."""
    found: UUID | None = (await conn.execute(select(members.c.changed_by).where(members.c.id == staff_id))).scalar()
    return found


async def proof(conn: AsyncConnection, login: str) -> Proof | None:
    """What an active member's password is checked against; None for anybody else."""
    columns = members.c.id, members.c.password_hash, members.c.must_change
    row = (await conn.execute(select(*columns).where(members.c.login == login, members.c.active))).one_or_none()
    return None if row is None else Proof(*row)


async def still_holds(conn: AsyncConnection, known: Proof) -> bool:
    """Whether the member is still active with the same password; holds them until the transaction ends."""
    query = select(members.c.id).where(members.c.id == known.staff_id, members.c.password_hash == known.password_hash)
    return (await conn.execute(query.where(members.c.active).with_for_update())).one_or_none() is not None


async def set_password(conn: AsyncConnection, staff_id: UUID, password_hash: str, *, must_change: bool) -> None:
    """Replace a password."""
    values = {"password_hash": password_hash, "must_change": must_change}
    await conn.execute(update(members).where(members.c.id == staff_id).values(values))


async def refresh_hash(conn: AsyncConnection, known: Proof, password_hash: str) -> None:
    """The same password, hashed with today's figures, unless another has come meanwhile."""
    here = (members.c.id == known.staff_id) & (members.c.password_hash == known.password_hash)
    await conn.execute(update(members).where(here).values(password_hash=password_hash))
