"""Topic `operations`: what the product says of its own troubles, told by every service, read by the duty desk."""

from datetime import datetime
from typing import ClassVar
from uuid import UUID

from shared.contracts.envelope import Event


class TroubleReported(Event):
    """Something needs a person. `summary` is Chinese, names no party, and says what to do."""

    topic: ClassVar[str] = "operations"
    type: ClassVar[str] = "operations.trouble_reported.v1"
    about: ClassVar[str] = "trouble_id"
    trouble_id: UUID
    service: str
    kind: str
    summary: str
    noticed_at: datetime
