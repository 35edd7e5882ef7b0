"""What recurs in the staff service."""

from datetime import timedelta

from services.staff.store import doors
from services.staff.usecases.kit import StaffKit
from shared.runtime.service import Job


def jobs(kit: StaffKit) -> list[Job]:
    """The service's only job."""

    async def forget_old() -> None:
        async with kit.db.begin() as tx:
            await doors.forget_old(tx.conn)

    return [Job("forget old sessions", timedelta(hours=1), forget_old)]
