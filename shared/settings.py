"""Settings come from the environment; each service's prefix is its own name in capitals.

Two groups are shared by all: how this process runs, and the court's own data that differs from court to court.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import BeforeValidator, Field, PrivateAttr, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict


def _from_file(value: object) -> object:
    if not (isinstance(value, str) and value.startswith("@")):
        return value
    try:
        return Path(value[1:]).read_text(encoding="utf-8").strip()
    except OSError:
        raise ValueError(f"无法读取文件 {value[1:]}") from None


FromFile = BeforeValidator(_from_file)
"""`@/path` stands for what that file holds: secrets need not stand in the environment."""


class Environment(StrEnum):
    """Where the product runs: only `production` talks to real people, and then it refuses the sandbox."""

    DEMO = "demo"
    TEST = "test"
    PRODUCTION = "production"


class RunSettings(BaseSettings):
    """How this process runs (prefix YANGGUANG_)."""

    model_config = SettingsConfigDict(env_prefix="YANGGUANG_", extra="ignore")

    environment: Environment = Environment.DEMO
    port: int = Field(8000, ge=1, le=65535)
    host: str = "127.0.0.1"
    data: Path = Path(".data")
    site_url: str = ""
    """Where people reach the product, for links in letters; empty means this process's own address."""
    zone: Literal["public", "staff", "both"] = "both"
    log: Literal["postgres", "kafka"] = "postgres"
    kafka: str = "127.0.0.1:9092"
    kafka_replication: int = Field(1, ge=1, le=9)
    """Copies of each topic that is created."""
    kafka_user: str = ""
    """The user of a service at Kafka, with `{service}` in it; empty for one that asks for none, never in production."""
    kafka_password: str = ""
    """Its password; `{service}` stands for the service's name, `@` and a path for what that file holds."""
    kafka_mechanism: Literal["SCRAM-SHA-512", "SCRAM-SHA-256", "PLAIN"] = "SCRAM-SHA-512"
    kafka_tls: bool = False
    """Whether what goes to Kafka is encrypted (SASL_SSL)."""
    kafka_ca: str = ""
    """The file of the authority that signed the brokers' certificates; empty: those that the system knows."""
    kafka_admin_user: str = "admin"
    kafka_admin_password: Annotated[str, FromFile] = ""
    """Of Kafka's administrator, for `yangguang prepare`: it makes users, topics and rules. Nothing that answers
    anybody is given it."""
    kafka_admin_mechanism: Literal["SCRAM-SHA-512", "SCRAM-SHA-256", "PLAIN"] = "PLAIN"
    trusted_proxy: str = ""
    """Address of the gateway whose word on the client's address is believed; empty: nobody's."""
    database_url: Annotated[str, FromFile] = ""
    """A URL with `{service}` in it, or empty for the embedded PostgreSQL. Its role reads and writes rows, no more:
    the service's own in the staff zone, that of the public pages in the public zone."""
    owner_url: str = ""
    """The URL of the role that owns the tables, with `{service}` in it, for `yangguang prepare`. A process that
    is given it migrates by itself; one that is not waits until somebody has."""
    service_role: str = "{service}"
    """What the administrator called the service's role, and the one of its public pages."""
    public_role: str = "{service}_public"
    pool_size: int = Field(10, ge=2, le=100)
    keyring: str = ""
    """A service's own keys. For each secret (shared/runtime/secrets.py) empty means, never in production, a file below
    `data`; `@` and a path mean what that file holds; `{service}` stands for the service's name."""
    exchange: str = ""
    lookups: str = ""
    drop: str = ""
    token_key: str = ""
    token_public_key: str = ""
    party_sessions: str = ""
    signing_key: str = ""
    sandbox_url: str = ""
    """Where the sandbox listens when it is another process; empty means this one."""
    sandbox_smtp_port: int = Field(0, ge=0, le=65535)
    """The port of the sandbox's mail server; 0 means `port` + 25."""

    @property
    def base_url(self) -> str:
        return self.site_url or f"http://{self.host}:{self.port}"

    def owner_of(self, service: str) -> str:
        """The owner's URL of a service's database, or nothing. Raises ValueError for a file that cannot be read."""
        return str(_from_file(self.owner_url.format(service=service)))

    def kafka_password_of(self, service: str) -> str:
        """The password of a service's user at Kafka, or nothing. Raises ValueError for a file that cannot be read."""
        return str(_from_file(self.kafka_password.replace("{service}", service)))

    @property
    def is_https(self) -> bool:
        """Whether people reach the product over https."""
        site = urlsplit(self.base_url)
        return site.scheme == "https" and bool(site.hostname)

    @property
    def is_reached_by_others(self) -> bool:
        """Whether the site may be reached from elsewhere: its name is no example, nor this machine's own."""
        return _is_anywhere(urlsplit(self.base_url).hostname or "")

    @property
    def smtp_port(self) -> int:
        return self.sandbox_smtp_port or self.port + 25


def is_example(host: str) -> bool:
    """Whether the name is one that nobody has: reserved for examples and tests (RFC 2606, RFC 6761)."""
    name = "." + host.rstrip(".").lower()
    return name.endswith((".example", ".test", ".invalid", ".example.com", ".example.net", ".example.org"))


def _networks(text: str) -> list[IPv4Network | IPv6Network]:
    return [ip_network(each.strip()) for each in text.split(",") if each.strip()]


def _is_anywhere(host: str) -> bool:
    try:
        address = ip_address(host)
    except ValueError:
        name = host.rstrip(".").lower()
        return "." in name and not name.endswith(".localhost") and not is_example(name)
    return not (address.is_loopback or address.is_unspecified or address.is_link_local)


@dataclass(frozen=True)
class CourtChange:
    """A change of the court's data, for those who should know of it. `fields`: what it changes."""

    state: str
    fields: tuple[str, ...]
    proposer: str
    decider: str | None
    at: datetime


class CourtSettings(BaseSettings):
    """The court's own data (prefix COURT_). The defaults are those of the demonstration.

    Account and telephones are changed in the product afterwards; every process follows (shared/runtime/court.py).
    """

    model_config = SettingsConfigDict(env_prefix="COURT_", extra="ignore")

    code: str = "渝05"
    name: str = "重庆市第五中级人民法院"
    short_name: str = "重庆五中院"
    site_name: str = "重庆五中院执行公开"
    address: str = "重庆市南岸区江南大道（演示地址）"
    postal_code: str = "400060"
    hotline: str = "12368"
    supervision_phone: str = "023-12345678"
    duty_phone: str = "023-12345679"
    supervision_email: str = "jubao@court.example"
    case_account_name: str = "重庆市第五中级人民法院案款专户（演示）"
    case_account_bank: str = "演示银行重庆分行营业部"
    case_account_number: str = "0000 0000 0000 0000"
    perform_days: int = Field(10, ge=1, le=90)
    """Days that the execution notice gives for performance."""
    report_days: int = Field(10, ge=1, le=90)
    """Days that the property report order gives."""
    clue_days: int = Field(15, ge=1, le=90)
    triage_minutes: int = Field(30, ge=1, le=1440)
    networks: str = ""
    """The court's own addresses as its public site sees them: CIDR, separated by commas."""

    @field_validator("networks")
    @classmethod
    def _are_networks(cls, text: str) -> str:
        try:
            _networks(text)
        except ValueError:
            raise ValueError("须为网络地址，如203.0.113.0/24，多个以逗号分隔") from None
        return text

    def is_own(self, source: str) -> bool:
        """Whether the source of a request lies in the court's own networks."""
        try:
            place = ip_network(source)
        except ValueError:
            return False
        return any(each.version == place.version and each.overlaps(place) for each in _networks(self.networks))

    _change: "CourtChange | None" = PrivateAttr(default=None)

    @property
    def change(self) -> "CourtChange | None":
        """The last change that was proposed or decided in the product."""
        return self._change

    def follow(self, data: Mapping[str, str], change: "CourtChange") -> None:
        """What was confirmed in the product holds from now on, in place of what the environment says."""
        for name, value in data.items():
            setattr(self, name, value)
        self._change = change

    def for_show(self) -> dict[str, str]:
        """What no real court may start with, by setting: what is only the demonstration's, or was never stated."""
        left = {name: "仍是演示内容" for name in _FOR_SHOW if self._is_for_show(name)}
        unstated = {name: "尚未填写" for name in _STATED if name not in self.model_fields_set}
        blank = {name: "尚未填写" for name in COURT_WORDS if not getattr(self, name).strip()}
        return {f"COURT_{name.upper()}": f"{COURT_WORDS[name]}{why}" for name, why in (unstated | left | blank).items()}

    def _is_for_show(self, name: str) -> bool:
        value = getattr(self, name)
        return value == type(self).model_fields[name].default or "演示" in value or is_example(value.rpartition("@")[2])


_STATED = ("code", "name", "short_name", "site_name", "postal_code", "hotline")
"""A production says of itself which court it is, even where that is the court of the demonstration."""
_FOR_SHOW = (
    "address",
    "supervision_phone",
    "duty_phone",
    "supervision_email",
    "case_account_name",
    "case_account_bank",
    "case_account_number",
)
"""The demonstration's values of these are nobody's."""
COURT_WORDS = {
    "code": "法院代字",
    "name": "法院名称",
    "short_name": "法院简称",
    "site_name": "网站名称",
    "address": "法院地址",
    "postal_code": "邮政编码",
    "hotline": "诉讼服务热线",
    "supervision_phone": "执行监督电话",
    "duty_phone": "24小时值班电话",
    "supervision_email": "监督邮箱",
    "case_account_name": "案款账户户名",
    "case_account_bank": "案款账户开户银行",
    "case_account_number": "案款账户账号",
}
