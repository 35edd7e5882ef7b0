"""Settings of party_notification (prefix PARTY_NOTIFICATION_)."""

from datetime import timedelta
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

from services.party_notification.domain.next_step import Policy
from shared.settings import FromFile, is_example


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
    smtp_tls: Literal["none", "starttls", "tls"] = "none"
    smtp_username: str = ""
    """Empty means that the mail server asks for no sign-in; the password is not looked at then."""
    smtp_password: Annotated[str, FromFile] = ""
    smtp_helo: str = ""
    """Our own name in the greeting (RFC 5321, 4.1.1.1); empty means `mail_domain`."""
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
    prompt_wait: float = Field(600.0, ge=0, le=600)
    """How long an SMS waits at most for the mail of which it tells; then it leaves in words true without the mail."""
    disownings_an_hour: int = Field(20, ge=1)
    """How many contacts may be disowned within an hour before a person must look at the next ones."""
    visit_minutes: int = Field(30, ge=5, le=240)

    def lacking(self) -> list[str]:
        """The variables without which nobody real can be written to, in Chinese what each must be.

        What is for show counts as missing: the sandbox's names, and those below .example (RFC 2606).
        """
        url = urlsplit(self.carrier_url)
        needs = {
            "RECEIPT_SECRET（运营商回执地址中的秘密）": not self.receipt_secret,
            "CARRIER_URL（短信平台地址）": _is_for_show(url.hostname or "") or "/sandbox/" in url.path,
            "CARRIER_KEY_ID（短信平台账号）": self.carrier_key_id in {"", "sandbox"},
            "CARRIER_KEY_SECRET（短信平台密钥）": not self.carrier_key_secret,
            "SMTP_HOST（邮件服务器）": "smtp_host" not in self.model_fields_set or _is_for_show(self.smtp_host),
            "SMTP_PORT（邮件服务器端口）": not self.smtp_port,
            "SMTP_TLS（starttls或tls，不得为none）": self.smtp_tls == "none",
            "SMTP_PASSWORD（已填写用户名时必填）": bool(self.smtp_username) and not self.smtp_password,
            "MAIL_SENDER（发件地址）": _is_for_show(self.mail_sender.partition("@")[2]),
            "MAIL_DOMAIN（发件域名）": _is_for_show(self.mail_domain),
        }
        return [f"{self.model_config['env_prefix']}{name}" for name, missing in needs.items() if missing]

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


def _is_for_show(host: str) -> bool:
    return host in {"", "sandbox"} or is_example(host)
