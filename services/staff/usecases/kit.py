"""What a use case of the staff service is handed."""

from services.staff.settings import StaffSettings
from shared.runtime.service import Kit

StaffKit = Kit[StaffSettings]
