"""How a client signs in at the cluster, and what to tell people when it is not let in."""

import logging
import math
import ssl
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.conn import collect_hosts, create_conn
from aiokafka.errors import (
    IllegalSaslStateError,
    KafkaConnectionError,
    KafkaError,
    SaslAuthenticationFailed,
    UnsupportedSaslMechanismError,
)
from aiokafka.protocol.metadata import MetadataRequest

from shared.bus.log import BusDeniedError

log = logging.getLogger(__name__)

_TELL_AFTER = 5.0  # seconds; a new cluster has its users in a moment
_TELL_EVERY = 60.0
SCRAM = "SCRAM-SHA-512"
"""The mechanism of the services' users: their passwords never travel."""

_WRONG = "Kafka（{address}）不接受用户“{user}”的口令：请核对 {setting}；{hint}。"
_OF_SERVICES = "服务的用户由 yangguang prepare 建立，Kafka 数据清空或口令更换后请再执行一次"
_OF_ADMIN = "管理员的口令以 Kafka 启动时的为准，更换后须重启 Kafka"
_ASKED = "Kafka（{address}）要求用户和口令：请填写 YANGGUANG_KAFKA_USER 和 YANGGUANG_KAFKA_PASSWORD。"
_OPEN = (
    "Kafka（{address}）不核对口令，不能以用户“{user}”登录：请在 Kafka 启用口令（docs/operations.md），"
    "试用时也可以不填写 YANGGUANG_KAFKA_USER。"
)
_MECHANISM = "Kafka（{address}）没有启用登录方式 {mechanism}：请核对 {way}。"
_NOT_ALLOWED = "Kafka 不允许用户“{user}”建立或使用主题 {topics}：请执行 yangguang prepare，由管理员建立主题、设置权限。"
_CERTIFICATE = "Kafka（{address}）的证书不能核实：请核对 YANGGUANG_KAFKA_CA 所指的证书文件和 Kafka 的主机名。"


class _NobodyError(KafkaError):  # type: ignore[misc]
    """The cluster asks for a user, and there is none."""


_REASONS = {
    SaslAuthenticationFailed: _WRONG,
    IllegalSaslStateError: _OPEN,
    UnsupportedSaslMechanismError: _MECHANISM,
    ssl.SSLCertVerificationError: _CERTIFICATE,
    _NobodyError: _ASKED,
}


@dataclass(frozen=True)
class Login:
    """A user and its password; without a user, the cluster must ask for none.

    `tls` encrypts; `ca` is the file of the authority that signed the brokers' certificates, empty for those that the
    system knows.
    """

    user: str = ""
    password: str = field(default="", repr=False)
    mechanism: str = SCRAM
    is_admin: bool = False
    tls: bool = False
    ca: str = ""

    @property
    def options(self) -> dict[str, Any]:
        """What aiokafka's clients are told of it."""
        protocol = ("SASL_" if self.user else "") + ("SSL" if self.tls else "PLAINTEXT")
        found: dict[str, Any] = {"security_protocol": protocol, "ssl_context": self._context}
        if self.user:
            found |= {"sasl_mechanism": self.mechanism, "sasl_plain_username": self.user}
            found["sasl_plain_password"] = self.password
        return found

    @cached_property
    def _context(self) -> ssl.SSLContext | None:
        return ssl.create_default_context(cafile=self.ca or None) if self.tls else None


OPEN = Login()


class Door:
    """The way in. What keeps the user out is told in plain words, and logged, since whoever waits tries again."""

    def __init__(self, bootstrap: str, login: Login) -> None:
        self._bootstrap = bootstrap
        self._login = login
        self._since: float | None = None
        self._told_at = -math.inf

    async def enter(self, admin: AIOKafkaAdminClient, milliseconds: int) -> None:
        """Connect. Raises BusDeniedError."""
        try:
            await admin.start()
        except KafkaConnectionError as fault:
            why = await refusal(self._bootstrap, self._login, milliseconds)
            if why is None:
                raise
            raise self._told(why) from fault

    def opened(self) -> None:
        """All is well."""
        self._since = None

    def closed_to(self, topics: Iterable[str]) -> BusDeniedError:
        """The user may not make or use these topics."""
        return self._told(_NOT_ALLOWED.format(user=self._login.user, topics="、".join(sorted(topics))))

    def _told(self, why: str) -> BusDeniedError:
        now = time.monotonic()
        self._since = self._since or now
        if now - self._since > _TELL_AFTER and now - self._told_at > _TELL_EVERY:
            self._told_at = now
            log.error("Kafka refuses this process", extra={"why": why})
        return BusDeniedError(why)


async def refusal(bootstrap: str, login: Login, milliseconds: int) -> str | None:
    """Why the cluster does not let the user in, in Chinese; None when it is simply not there.

    aiokafka's clients say the same of both, so this one looks for itself.
    """
    about = "YANGGUANG_KAFKA_ADMIN_" if login.is_admin else "YANGGUANG_KAFKA_"
    words = {
        "address": bootstrap,
        "user": login.user,
        "setting": f"{about}PASSWORD",
        "hint": _OF_ADMIN if login.is_admin else _OF_SERVICES,
        "way": f"{about}MECHANISM",
        "mechanism": login.mechanism,
    }
    try:
        await _knock(bootstrap, login, milliseconds)
    except (OSError, KafkaError) as fault:
        reasons = [why for kind, why in _REASONS.items() if isinstance(fault, kind)]
        return reasons[0].format(**words) if reasons else None
    return None


async def _knock(bootstrap: str, login: Login, milliseconds: int) -> None:
    """Sign in and ask something small. Who has not signed in and had to is hung up on."""
    host, port, _ = collect_hosts(bootstrap)[0]
    conn = await create_conn(host, port, request_timeout_ms=milliseconds, **login.options)
    try:
        await conn.send(MetadataRequest([]))
    except KafkaConnectionError as fault:
        raise fault if login.user else _NobodyError from fault
    finally:
        conn.close()
