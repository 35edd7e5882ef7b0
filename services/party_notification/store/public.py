"""What the public pages' database role may do."""

from services.party_notification.store.tables import LEDGER, METADATA
from shared.db.access import ALL, May
from shared.db.tables import PUBLIC_TELLING

_LOGGED = {LEDGER.entries, LEDGER.heads}
PUBLIC = (
    *PUBLIC_TELLING,
    May(LEDGER.entries, insert=ALL),
    May(LEDGER.heads, select=ALL, insert=ALL, update=ALL),
    *(May(table, ALL, ALL, ALL) for table in METADATA.sorted_tables if table not in _LOGGED),
)
