"""Settings of asset_tips (prefix ASSET_TIPS_)."""

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict


class TipSettings(BaseSettings):
    """How many tips one source may send; the limit never touches another source."""

    model_config = SettingsConfigDict(env_prefix="ASSET_TIPS_", extra="ignore")

    per_source: int = Field(20, ge=1)
    per_seconds: int = Field(600, ge=1)
