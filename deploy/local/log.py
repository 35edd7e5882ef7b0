"""Kafka on this machine: its users' passwords, kept below the data folder, and which process is told of which."""

import secrets
from collections.abc import Iterable, Mapping
from pathlib import Path

from deploy.local.layout import Role
from shared.http.routes import Zone
from shared.runtime.secrets import kept, secret_path
from shared.settings import RunSettings

ADMIN = "kafka_admin.txt"
_USER = "kafka_{service}.txt"
_ABOUT_LOG = ("YANGGUANG_LOG", "YANGGUANG_KAFKA")


def admin_file(run: RunSettings) -> Path:
    """Where the password of the administrator of a broker of ours is kept."""
    return secret_path(run, ADMIN).resolve()


def log_settings(run: RunSettings, broker: str, services: Iterable[str], *, own: bool) -> RunSettings:
    """How Kafka is entered: by users that are made here, unless those of a broker of others are made elsewhere."""
    told: dict[str, object] = {"log": "kafka", "kafka": broker}
    if own:
        told["kafka_admin_password"] = kept(run, ADMIN, _word)
    if own or run.kafka_admin_password:
        for service in services:
            kept(run, _USER.format(service=service), _word)
        told |= {"kafka_user": "{service}", "kafka_password": f"@{secret_path(run, _USER).resolve()}"}
        told |= {"kafka_mechanism": "SCRAM-SHA-512"}
    return run.model_copy(update=told)


def told_of_log(run: RunSettings, role: Role, env: Mapping[str, str]) -> dict[str, str]:
    """`env` with what the role's process is told of Kafka: its own user; in the public zone, nothing."""
    found = {name: value for name, value in env.items() if not name.startswith(_ABOUT_LOG)}
    if role.zone == Zone.PUBLIC:
        return found
    return found | {
        "YANGGUANG_LOG": run.log,
        "YANGGUANG_KAFKA": run.kafka,
        "YANGGUANG_KAFKA_REPLICATION": str(run.kafka_replication),
        "YANGGUANG_KAFKA_USER": run.kafka_user.replace("{service}", role.service.name),
        "YANGGUANG_KAFKA_PASSWORD": run.kafka_password.replace("{service}", role.service.name),
        "YANGGUANG_KAFKA_MECHANISM": run.kafka_mechanism,
        "YANGGUANG_KAFKA_TLS": str(run.kafka_tls),
        "YANGGUANG_KAFKA_CA": run.kafka_ca,
    }


def _word() -> str:
    return secrets.token_urlsafe(32)
