"""Who may do what with a service's tables: three database roles, and the privileges that the declarations give them.

The owner makes and changes tables, and nothing else; no process that answers anybody knows its password. The service
writes and reads rows; of a table that is marked `append_only()` it may add and read, so that not even its own password
rewrites the case log. The public role is that of a process on the internet: it may do what `Service.public_tables`
names, and nothing else. The privileges are brought in line after each migration, so a new table needs no GRANT.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from typing import Final, NamedTuple

from sqlalchemy import MetaData, Table, text
from sqlalchemy.ext.asyncio import AsyncConnection

_MARK: Final = "append_only"


def append_only(*sealed: str) -> dict[str, Sequence[str]]:
    """`Table(..., info=append_only())`: rows are added and read, never changed or deleted.

    `sealed` columns may be changed all the same: when keys change, their texts are sealed anew.
    """
    return {_MARK: sealed}


ALL: Final = ("",)
"""Every column."""


class Part(StrEnum):
    """Which of the three roles of a service's database."""

    OWNER = "owner"
    SERVICE = "service"
    PUBLIC = "public"

    def role(self, database: str) -> str:
        """The role's name, as the embedded database and the container files make it."""
        return database if self is Part.SERVICE else f"{database}_{self.value}"


class SetupError(Exception):
    """The database is not set up for this service; the message says in Chinese what its administrator must do."""


@dataclass(frozen=True)
class May:
    """What the public role may do with a table: the columns that it may read, write and change; whether it deletes.

    To lock rows (`FOR UPDATE`) it must be allowed to change a column.
    """

    table: Table
    select: Sequence[str] = ()
    insert: Sequence[str] = ()
    update: Sequence[str] = ()
    delete: bool = False


class Privilege(NamedTuple):
    """One privilege of one role, on a column or, where that is empty, on the whole table."""

    table: str
    role: str
    verb: str
    column: str


@dataclass(frozen=True)
class Access:
    """The privileges in one service's database. `public_role` is empty where the service has no public pages."""

    tables: Sequence[MetaData]
    public: Sequence[May]
    service_role: str
    public_role: str

    def wanted(self, table: str) -> set[Privilege]:
        """What the two roles may do with a table of the database; versions of migrations are only read."""
        if table.startswith("version_"):
            return {Privilege(table, role, "SELECT", "") for role in self.roles}
        found = {Privilege(table, self.service_role, verb, "") for verb in ("SELECT", "INSERT")}
        changed = self._appended.get(table, ALL)
        found |= {Privilege(table, self.service_role, "UPDATE", column) for column in changed}
        if changed is ALL:
            found.add(Privilege(table, self.service_role, "DELETE", ""))
        for may in self.public if self.public_role else ():
            if may.table.name == table:
                found |= self._of(may)
        return found

    @cached_property
    def _appended(self) -> dict[str, Sequence[str]]:
        tables = (each for book in self.tables for each in book.tables.values())
        return {each.name: each.info[_MARK] for each in tables if _MARK in each.info}

    @property
    def roles(self) -> list[str]:
        """The roles whose privileges are set here."""
        return [role for role in (self.service_role, self.public_role) if role]

    def _of(self, may: May) -> set[Privilege]:
        columns = {
            "SELECT": may.select,
            "INSERT": may.insert,
            "UPDATE": may.update,
            "DELETE": ALL if may.delete else (),
        }
        table, role = may.table.name, self.public_role
        return {Privilege(table, role, verb, column) for verb, names in columns.items() for column in names}


_TABLES = text(
    "SELECT relname FROM pg_class WHERE relnamespace = current_schema()::regnamespace AND relkind IN ('r', 'p')"
)
_GRANTED = text("""
    SELECT relname, coalesce(rolname, 'public') AS role, verb, attname FROM (
        SELECT c.relname, a.grantee, a.privilege_type AS verb, '' AS attname, c.relowner, c.relnamespace
        FROM pg_class c, aclexplode(c.relacl) a WHERE c.relkind IN ('r', 'p')
        UNION ALL
        SELECT c.relname, a.grantee, a.privilege_type, t.attname, c.relowner, c.relnamespace
        FROM pg_class c JOIN pg_attribute t ON t.attrelid = c.oid AND NOT t.attisdropped, aclexplode(t.attacl) a
        WHERE c.relkind IN ('r', 'p')
    ) AS granted LEFT JOIN pg_roles ON pg_roles.oid = grantee
    WHERE relnamespace = current_schema()::regnamespace AND grantee <> relowner
""")
_MISSING = text("SELECT name FROM unnest(cast(:names AS text[])) AS name WHERE to_regrole(quote_ident(name)) IS NULL")
_OPEN = text("SELECT has_schema_privilege('public', current_schema(), 'CREATE')")
_OWNS = text(
    "SELECT pg_has_role(current_user, relowner, 'MEMBER') FROM pg_class "
    "WHERE relnamespace = current_schema()::regnamespace AND relname = 'outbox'"
)


async def settle(conn: AsyncConnection, access: Access) -> None:
    """Bring the privileges in line with the declarations, in the owner's transaction; nothing is written when they are.

    Roles that the administrator made for other purposes keep what they were given. Raises SetupError.
    """
    missing = list((await conn.execute(_MISSING, {"names": access.roles})).scalars())
    if missing:
        raise SetupError(
            f"数据库中没有角色 {'、'.join(missing)}：请数据库管理员按 deploy/postgres/10-databases.sh 建立后重新启动。"
        )
    if (await conn.execute(_OPEN)).scalar_one():
        await conn.execute(text("REVOKE CREATE ON SCHEMA public FROM PUBLIC"))
    ours = {*access.roles, "public"}
    granted: dict[str, set[Privilege]] = defaultdict(set)
    for name, role, verb, column in await conn.execute(_GRANTED):
        if role in ours:
            granted[name].add(Privilege(name, role, verb, column))
    for table in (await conn.execute(_TABLES)).scalars().all():
        wanted = access.wanted(table)
        if wanted != granted[table]:
            await _grant(conn, access, table, wanted)


async def _grant(conn: AsyncConnection, access: Access, table: str, wanted: Iterable[Privilege]) -> None:
    quote = conn.dialect.identifier_preparer.quote_identifier
    roles = ", ".join(["PUBLIC", *(quote(role) for role in access.roles)])
    statements = [f"REVOKE ALL ON {quote(table)} FROM {roles}"]
    for _, role, verb, column in sorted(wanted):
        what = f"{verb} ({quote(column)})" if column else verb
        statements.append(f"GRANT {what} ON {quote(table)} TO {quote(role)}")
    for statement in statements:
        await conn.execute(text(statement))


async def owns_tables(conn: AsyncConnection) -> bool:
    """Whether the connection's role could change the tables themselves, and with them every rule that they carry."""
    return bool((await conn.execute(_OWNS)).scalar_one_or_none())
