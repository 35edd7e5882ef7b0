"""What the public pages' database role may do: find and read what is sealed to parties, and put in what comes in."""

from services.party_notification.store.doors import FOUND
from services.party_notification.store.notices import CHECKED
from services.party_notification.store.readings import SEEN
from services.party_notification.store.tables import (
    addresses,
    disownings,
    doors,
    messages,
    notices,
    parties,
    party_contacts,
    party_pages,
    party_sheets,
    readings,
    receipt_posts,
)
from shared.db.access import ALL, May

PUBLIC = (
    May(doors, select=FOUND),
    May(party_pages, select=ALL),
    May(party_sheets, select=ALL),
    May(messages, select=("party_id", "address_id")),
    May(addresses, select=("address_id", "end_index")),
    May(parties, select=("party_id", "contacts_due")),
    May(party_contacts, select=ALL),
    May(notices, select=CHECKED),
    May(readings, select=("reading_id", "notice_id", "party_id", "visit"), insert=SEEN),
    May(receipt_posts, select=("id",), insert=("about", "sealed")),
    May(disownings, select=("id",), insert=("party_id", "address_id")),
)
