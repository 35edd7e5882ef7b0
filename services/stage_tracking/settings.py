"""Settings of stage_tracking (prefix STAGE_TRACKING_): the figures that differ from court to court."""

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

from services.stage_tracking.domain.deadlines import Figures
from shared.runtime.service import Kit


class StageSettings(BaseSettings):
    """Lengths of the periods in days and months, and how the firing job works."""

    model_config = SettingsConfigDict(env_prefix="STAGE_TRACKING_", extra="ignore")

    assignment_days: int = Field(7, ge=1, le=30)
    notice_days: int = Field(3, ge=1, le=30)
    notice_outer_days: int = Field(10, ge=1, le=30)
    court_limit_months: int = Field(3, ge=1, le=12)
    reminder_days: int = Field(7, ge=1, le=60)
    statutory_months: int = Field(6, ge=1, le=24)
    non_litigation_months: int = Field(3, ge=1, le=24)
    upper_court_months: int = Field(6, ge=1, le=24)
    preservation_days: int = Field(5, ge=1, le=30)
    enforcement_plan_days: int = Field(30, ge=1, le=365)
    """When the first measure is planned, counted from the filing: a plan of the court, no rule of law."""
    archiving_plan_days: int = Field(30, ge=1, le=365)
    """When the file is planned to be in the archive, counted from the closure."""
    fire_at_most: int = Field(500, ge=1, le=10_000)
    """Deadlines that one round of the firing job takes."""

    @property
    def figures(self) -> Figures:
        """What the rules compute with."""
        return Figures(**{name: getattr(self, name) for name in Figures.__dataclass_fields__})


StageKit = Kit[StageSettings]
