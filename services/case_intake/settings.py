"""Settings of filing and import (prefix CASE_INTAKE_)."""

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

from shared.runtime.service import Kit


class CaseIntakeSettings(BaseSettings):
    """How imports are taken."""

    model_config = SettingsConfigDict(env_prefix="CASE_INTAKE_", extra="ignore")

    import_wait_seconds: float = Field(20, ge=0, le=25)
    """How long the import's POST waits for the end before it answers 202."""
    import_max_rows: int = Field(50_000, ge=1, le=50_000)


IntakeKit = Kit[CaseIntakeSettings]
