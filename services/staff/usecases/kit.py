"""What a use case of the staff service is handed."""

from services.staff.settings import StaffSettings
from shared.clock import SystemClock
from shared.runtime.service import Kit

StaffKit = Kit[StaffSettings]

MACHINE = SystemClock()
"""Telephones show the real time's codes, and tokens live by it: the product's clock may be moved."""
