"""Which processes there are, and which of them answers below which path."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from shared.db.access import Part
from shared.http.routes import Zone
from shared.runtime.registry import load, service_names
from shared.runtime.service import Service

OUTSIDE = "sandbox"
"""The outside world in a box: it belongs to neither network, and its one process stands for both."""


@dataclass(frozen=True)
class Role:
    """What one process does: a service, in one zone or, for the outside world, in both."""

    service: Service
    zone: str

    @property
    def name(self) -> str:
        """As it is called in logs and in the container files."""
        return f"{self.service.name}-public" if self.zone == Zone.PUBLIC else self.service.name

    @property
    def part(self) -> Part:
        """As which role of its service's database it works."""
        return Part.PUBLIC if self.zone == Zone.PUBLIC else Part.SERVICE

    @property
    def database_secret(self) -> str:
        """The secret that holds the database's URL for it."""
        return f"database_{self.part.role(self.service.name)}"

    @property
    def log_secret(self) -> str:
        """The secret that holds its password at Kafka; nothing in the public zone, which has no access to the log."""
        return "" if self.zone == Zone.PUBLIC else f"kafka_{self.service.name}"

    @property
    def prefixes(self) -> tuple[str, ...]:
        """The URL prefixes that it answers."""
        return self.service.prefixes(set(Zone) if self.zone == "both" else {Zone(self.zone)})


def roles() -> list[Role]:
    """Every role of the product."""
    found: list[Role] = []
    for service in (load(name) for name in service_names()):
        if service.name == OUTSIDE:
            found.append(Role(service, "both"))
            continue
        found.append(Role(service, Zone.STAFF.value))
        if service.public_paths:
            found.append(Role(service, Zone.PUBLIC.value))
    return found


def paths(roles: Sequence[Role]) -> dict[str, str]:
    """URL prefix → name of the role that answers; documents of the interface come from where the work is done."""
    answering = {prefix: role.name for role in roles for prefix in role.prefixes}
    documents = {f"/openapi/{role.service.name}.json": role.name for role in roles if role.zone != Zone.PUBLIC}
    return answering | documents


def copies(text: str) -> Mapping[str, int]:
    """How many processes of which role: `party_notification=2,stage_tracking=3`. Raises ValueError."""
    found: dict[str, int] = {}
    known = {role.name for role in roles()}
    for part in filter(None, text.replace(" ", "").split(",")):
        name, _, number = part.partition("=")
        if name not in known or not number.isdecimal() or not 0 < int(number) <= 9:
            raise ValueError(f"看不懂“{part}”：请写 名称=个数（1到9），名称可为{'、'.join(sorted(known))}。")
        if name == OUTSIDE and int(number) > 1:
            raise ValueError("sandbox 只能有一个进程：外部世界的故障设置和邮件端口都在这一个进程里。")
        found[name] = int(number)
    return found
