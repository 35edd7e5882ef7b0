"""What recurs in the staff service."""

from datetime import timedelta

from services.staff import store
from services.staff.usecases.sessions import StaffKit
from shared.runtime.service import Job


def jobs(kit: StaffKit) -> list[Job]:
    """The service's only job."""

    async def forget_old() -> None:
        async with kit.db.begin() as tx:
            await store.forget_old(tx.conn)

    return [Job("forget old sessions", timedelta(hours=1), forget_old)]
