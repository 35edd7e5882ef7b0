"""Settings of the sandbox (prefix SANDBOX_). Secrets left empty are shared below the data folder."""

from typing import Annotated

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

from shared.settings import FromFile


class SandboxSettings(BaseSettings):
    """How the outside world behaves when nothing goes wrong."""

    model_config = SettingsConfigDict(env_prefix="SANDBOX_", extra="ignore")

    carrier_key_id: str = "sandbox"
    carrier_secret: Annotated[str, FromFile] = ""
    """The secret of the carrier's access key; one who sends from another data folder must be given the same."""
    receipt_url: Annotated[str, FromFile] = ""
    """Where receipts are posted; empty means this process's own address."""
    receipt_after: float = Field(0.5, ge=0, le=600)
    """Seconds from a message to its receipt."""
    receipt_timeout: float = Field(10.0, gt=0, le=60)
    smtp_host: str = "127.0.0.1"
