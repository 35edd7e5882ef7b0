"""What recurs in the staff service."""

from datetime import timedelta

from services.staff.store import doors
from services.staff.usecases.kit import StaffKit
from services.staff.usecases.members import tell_again
from shared.runtime.service import Job


def jobs(kit: StaffKit) -> list[Job]:
    """The jobs of one process; several may run at once."""

    async def forget_old() -> None:
        async with kit.db.begin() as tx:
            await doors.forget_old(tx.conn)

    return [
        Job("forget old sessions", timedelta(hours=1), forget_old),
        Job("tell of members again", timedelta(hours=1), lambda: tell_again(kit)),
    ]
