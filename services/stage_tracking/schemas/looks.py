"""Looks at personal data, and which of them are asked for."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import Query
from pydantic import BaseModel, BeforeValidator

from services.stage_tracking.store.looks import Wanted
from services.stage_tracking.usecases.looks import Look
from shared.contracts.looks import Seen


@dataclass(frozen=True)
class LooksAsked:
    """Which looks at personal data: filters as they stand in the URL."""

    q: Annotated[str, Query(max_length=60, description="案号，或其中一段")] = ""
    name: Annotated[str, Query(max_length=60, description="查看人")] = ""
    seen: Annotated[Seen | None, BeforeValidator(lambda value: value or None)] = None
    foreign: Annotated[bool | None, BeforeValidator(lambda value: value or None)] = None

    def wanted(self) -> Wanted:
        """For the store."""
        return Wanted(self.q.strip(), self.name.strip(), seen=self.seen, foreign=bool(self.foreign))


class LookPage(BaseModel):
    """Looks, newest first; `next` is the cursor of the next page."""

    items: list[Look]
    next: str | None
