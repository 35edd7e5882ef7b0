"""What the tables have in common: their metadata, the case log's tables, and how an instant is kept."""

from sqlalchemy import DateTime, MetaData, func

from shared.ledger.store import ledger_tables

METADATA = MetaData()
LEDGER = ledger_tables(METADATA)

NOW = func.clock_timestamp()
INSTANT = DateTime(timezone=True)
