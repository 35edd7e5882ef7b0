"""The pages: the portal, the parties' own and the check of a notice; for staff, notices, paper and unknown fates."""

from services.party_notification.pages import notices, paper, party, portal, unknown
from services.party_notification.pages.common import public, staff

__all__ = ["notices", "paper", "party", "portal", "public", "staff", "unknown"]
