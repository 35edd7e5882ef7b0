"""Tables of filing, and every query."""

from services.case_intake.store.tables import METADATA

__all__ = ["METADATA"]
