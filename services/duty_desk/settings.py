"""Settings of duty_desk (prefix DUTY_DESK_). The court's own triage time stands in its shared settings."""

from datetime import timedelta

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

from services.duty_desk.domain import Patience
from shared.contracts.tips import TipGround
from shared.runtime.service import Kit


class DeskSettings(BaseSettings):
    """Rows 26 to 29 of the reform, how soon the deed must follow the accepted evidence; and how long a check takes."""

    model_config = SettingsConfigDict(env_prefix="DUTY_DESK_", extra="ignore")

    property_hours: float = Field(24, gt=0)
    whereabouts_hours: float = Field(2, gt=0)
    new_property_hours: float = Field(24, gt=0)
    urgent_minutes: float = Field(30, gt=0)
    urgent_triage_minutes: float = Field(5, gt=0)
    check_days: float = Field(7, gt=0)
    """A clue is checked within seven days of its arrival (法释〔2017〕8号 Art. 2)."""
    trouble_hours: float = Field(24, gt=0)
    """The desk's own limit for a trouble of the product that somebody has taken."""

    def patience(self, triage_minutes: int) -> Patience:
        """The desk's clocks."""
        return Patience(
            triage=timedelta(minutes=triage_minutes),
            urgent_triage=timedelta(minutes=self.urgent_triage_minutes),
            check=timedelta(days=self.check_days),
            trouble=timedelta(hours=self.trouble_hours),
            deed={
                TipGround.PROPERTY: timedelta(hours=self.property_hours),
                TipGround.WHEREABOUTS: timedelta(hours=self.whereabouts_hours),
                TipGround.NEW_PROPERTY: timedelta(hours=self.new_property_hours),
                TipGround.URGENT: timedelta(minutes=self.urgent_minutes),
            },
        )


DeskKit = Kit[DeskSettings]
