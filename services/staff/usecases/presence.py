"""Where members of staff are signed in: told, so that what is opened from there never passes for a party's reading."""

from services.staff.domain.people import Member
from services.staff.usecases.kit import StaffKit
from shared.contracts.envelope import Sealed
from shared.contracts.staff import StaffSeen


async def tell_presence(kit: StaffKit, member: Member, source: str, device: str | None) -> None:
    """The member signed in, or stayed so, from this source and device."""
    about = str(member.id)
    async with kit.db.begin() as tx:
        seen = StaffSeen(
            staff_id=member.id,
            name=member.name,
            source=Sealed(kit.exchange.seal(source, about)),
            device=None if device is None else Sealed(kit.exchange.seal(device, about)),
            seen_at=tx.now,
        )
        await tx.emit(seen)
