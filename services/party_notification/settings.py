"""Settings of party_notification (prefix PARTY_NOTIFICATION_)."""

from datetime import timedelta
from typing import Annotated

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

from services.party_notification.domain.next_step import Policy
from shared.settings import FromFile


class NotificationSettings(BaseSettings):
    """Where to send and how patiently. Times are in seconds."""

    model_config = SettingsConfigDict(env_prefix="PARTY_NOTIFICATION_", extra="ignore")

    carrier_url: str = ""
    """Empty means the sandbox's carrier."""
    carrier_key_id: str = "sandbox"
    carrier_key_secret: Annotated[str, FromFile] = ""
    """Empty (never in production) means the secret shared with the sandbox below the data folder."""
    receipt_secret: Annotated[str, FromFile] = ""
    smtp_host: str = "127.0.0.1"
    smtp_port: int = Field(0, ge=0, le=65535)
    """0 means the sandbox's mail server."""
    mail_sender: str = "zhixing@court.example"
    mail_domain: str = "court.example"
    send_timeout: float = Field(10.0, gt=0)
    sms_at_once: int = Field(50, ge=1, le=100)
    mails_at_once: int = Field(10, ge=1, le=20)
    lease: float = Field(60.0, gt=0)
    settle: float = Field(120.0, gt=0)
    query_gap: float = Field(300.0, gt=0)
    max_attempts: int = Field(150, ge=1)
    """About three days of retries, the last ones every half hour; a person is told after the tenth."""
    visit_minutes: int = Field(30, ge=5, le=240)

    @property
    def policy(self) -> Policy:
        """The delivery machine's patience. Leases outlast every time-out: a batch call takes at most twice one."""
        return Policy(
            lease=timedelta(seconds=max(self.lease, 3 * self.send_timeout)),
            sms_settle=timedelta(seconds=self.settle),
            mail_settle=timedelta(seconds=self.settle),
            query_gap=timedelta(seconds=self.query_gap),
            max_attempts=self.max_attempts,
        )
