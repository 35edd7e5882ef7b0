"""What differs from court to court for the staff service (prefix STAFF_)."""

from typing import Annotated

from pydantic import SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

from shared.settings import FromFile


class StaffSettings(BaseSettings):
    """The panels of those who are given cases, and the first administrator of a production."""

    model_config = SettingsConfigDict(env_prefix="STAFF_", extra="ignore")

    panels: tuple[str, ...] = ("执行一合议庭", "执行二合议庭", "审监一合议庭")
    admin_password: Annotated[SecretStr, FromFile] = SecretStr("")
    """Read once, when a production starts with nobody in it; must be changed at the first sign-in."""
