"""Topic `staff`, told by the staff service; the key is the member's id."""

from typing import ClassVar
from uuid import UUID

from shared.contracts.envelope import Event
from shared.powers import Role


class MemberChanged(Event):
    """A member of staff as they now are. `phone` is a landline of the court."""

    topic: ClassVar[str] = "staff"
    type: ClassVar[str] = "staff.member_changed.v1"
    about: ClassVar[str] = "staff_id"
    staff_id: UUID
    login: str
    name: str
    phone: str
    department: str
    panel: str | None
    roles: tuple[Role, ...]
    court: str
    active: bool
