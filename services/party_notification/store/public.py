"""What the public pages' database role may do: find and read what is sealed to parties, and put in what comes in."""

from services.party_notification.store.notices import CHECKED
from services.party_notification.store.tables import (
    contact_marks,
    disownings,
    doors,
    notices,
    party_pages,
    party_sheets,
    readings,
    receipt_posts,
)
from shared.db.access import ALL, May

PUBLIC = (
    May(doors, select=ALL),
    May(party_pages, select=ALL),
    May(party_sheets, select=ALL),
    May(contact_marks, select=ALL),
    May(notices, select=(*CHECKED, "party_id")),
    May(readings, select=("reading_id", "notice_id", "party_id", "visit"), insert=ALL),
    May(receipt_posts, select=("id",), insert=("about", "sealed")),
    May(disownings, select=("id",), insert=("party_id", "address_index")),
)
