"""A secret as a page shows it: a QR code for the telephone's camera, and the same as text."""

from typing import Any

import segno

from services.staff.domain.factor import RECOVERY_CODES
from services.staff.usecases.kit import StaffKit
from services.staff.usecases.tickets import Offer
from shared.settings import Environment


def shown(kit: StaffKit, offer: Offer | None) -> dict[str, Any]:
    """What the templates need to show an offer; `demo`: where there may be no telephone, a command gives codes."""
    picture = "" if offer is None else segno.make(offer.link, error="m", micro=False).png_data_uri(scale=5, border=4)
    return {"offer": offer, "picture": picture, "recovery_codes": RECOVERY_CODES, "demo": is_demo(kit)}


def is_demo(kit: StaffKit) -> bool:
    """Whether the machine's own keeper may ask for anybody's code."""
    return kit.run.environment is not Environment.PRODUCTION
