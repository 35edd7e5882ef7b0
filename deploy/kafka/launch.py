"""Fetches and starts Apache Kafka: one KRaft node on the loopback, in the foreground, until SIGTERM.

`python -m deploy.kafka.launch --help` names the options and their environment variables. Needs Java 17 or
later; needs Maven once, for the jars named in pom.xml, which are kept in the cache folder from then on.
"""

import base64
import hashlib
import os
import re
import secrets
import shutil
import socket
import subprocess
import tempfile
import uuid
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import click

from shared.runtime.parent import end_with_parent

POM = Path(__file__).with_name("pom.xml")
CACHE = Path.home() / ".cache" / "yangguang" / "kafka"
JAVA_AT_LEAST = 17
ADMIN = "admin"
"""The administrator's name at a broker of ours."""


@dataclass(frozen=True)
class Node:
    """One broker: where it listens on 127.0.0.1, which port it tells its clients, and where its data lie."""

    port: int
    data: Path
    advertised: int = 0  # 0: the port itself; another one when a proxy stands before the broker
    password: str = field(default="", repr=False)
    """Of the administrator; with none, the broker asks nobody for a password."""

    @property
    def folder(self) -> Path:
        return self.data.resolve() / "log"

    def properties(self) -> str:
        """The text of server.properties. Short group time-outs are allowed so that tests need not wait."""
        controller = _free_port()
        protocol = "SASL_PLAINTEXT" if self.password else "PLAINTEXT"
        return "\n".join(
            [
                "process.roles=broker,controller",
                "node.id=1",
                f"listeners=CLIENT://127.0.0.1:{self.port},CONTROLLER://127.0.0.1:{controller}",
                f"advertised.listeners=CLIENT://127.0.0.1:{self.advertised or self.port}",
                "controller.listener.names=CONTROLLER",
                "inter.broker.listener.name=CLIENT",
                f"listener.security.protocol.map=CLIENT:{protocol},CONTROLLER:{protocol}",
                f"controller.quorum.voters=1@127.0.0.1:{controller}",
                f"log.dirs={self.folder.as_posix()}",
                "auto.create.topics.enable=false",
                "offsets.topic.replication.factor=1",
                "offsets.topic.num.partitions=4",
                "transaction.state.log.replication.factor=1",
                "transaction.state.log.min.isr=1",
                "group.initial.rebalance.delay.ms=0",
                "group.min.session.timeout.ms=500",
                *(_guarded(self.password) if self.password else ()),
                "",
            ]
        )


def _guarded(password: str) -> list[str]:
    """Everybody signs in, the administrator by PLAIN and the services by SCRAM; what no rule allows is refused.

    The same stands in docker-compose.yml and deploy/k8s, made of the secret by deploy/broker/start.sh.
    """
    modules = "org.apache.kafka.common.security"
    plain = f'{modules}.plain.PlainLoginModule required username="{ADMIN}" password="{password}"'
    return [
        "authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer",
        "allow.everyone.if.no.acl.found=false",
        f"super.users=User:{ADMIN}",
        "sasl.enabled.mechanisms=PLAIN,SCRAM-SHA-512",
        "sasl.mechanism.inter.broker.protocol=PLAIN",
        "sasl.mechanism.controller.protocol=PLAIN",
        f'listener.name.client.plain.sasl.jaas.config={plain} user_{ADMIN}="{password}";',
        f"listener.name.client.scram-sha-512.sasl.jaas.config={modules}.scram.ScramLoginModule required;",
        "listener.name.controller.sasl.enabled.mechanisms=PLAIN",
        f'listener.name.controller.plain.sasl.jaas.config={plain} user_{ADMIN}="{password}";',
    ]


def missing(cache: Path = CACHE) -> str | None:
    """One Chinese line naming what this machine lacks to start Kafka, or None."""
    java = shutil.which("java")
    if java is None or _java_version(java) < JAVA_AT_LEAST:
        return f"启动 Kafka 需要 Java {JAVA_AT_LEAST} 或更高版本，请先安装。"
    if not _jars(cache).is_dir() and shutil.which("mvn") is None:
        return "首次下载 Kafka 需要 Maven（mvn），请先安装。"
    return None


def command(node: Node, cache: Path = CACHE) -> list[str]:
    """Fetch and format what is not there yet; the command line that runs the broker."""
    java = [shutil.which("java") or "java", "-cp", f"{fetch(cache)}/*"]
    java += ["-Xmx512m", "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn"]
    node.folder.mkdir(parents=True, exist_ok=True)
    settings = node.data.resolve() / "server.properties"
    settings.touch(mode=0o600)
    settings.chmod(0o600)  # also one that an older release left
    settings.write_text(node.properties(), encoding="utf-8")
    if not (node.folder / "meta.properties").exists():
        _run([*java, "kafka.tools.StorageTool", "format", "-t", _cluster_id(), "-c", str(settings)])
    return [*java, "kafka.Kafka", str(settings)]


def fetch(cache: Path = CACHE) -> Path:
    """The folder of the jars; another pom.xml makes another folder, and a half-done fetch leaves none."""
    jars = _jars(cache)
    if not jars.is_dir():
        cache.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=cache) as work:
            maven = [shutil.which("mvn") or "mvn", "-B", "-q", "-f", str(POM)]
            _run([*maven, "dependency:copy-dependencies", f"-DoutputDirectory={work}/jars"])
            with suppress(OSError):  # another one was faster
                Path(work, "jars").rename(jars)
    return jars


def _jars(cache: Path) -> Path:
    return cache.resolve() / hashlib.sha256(POM.read_bytes()).hexdigest()[:16]


def _java_version(java: str) -> int:
    said = subprocess.run([java, "-version"], capture_output=True, text=True, check=False)  # noqa: S603
    found = re.search(r'version "(\d+)', said.stderr)
    return int(found.group(1)) if found else 0


def _run(arguments: list[str]) -> None:
    done = subprocess.run(arguments, capture_output=True, text=True, check=False)  # noqa: S603 - our own words
    if done.returncode:
        raise click.ClickException(f"{Path(arguments[0]).name} 未能完成：{(done.stdout + done.stderr)[-2000:]}")


def password_in(secret: Path) -> str:
    """The password in the file, made at first use, readable by its owner alone."""
    if not secret.exists():
        secret.parent.mkdir(parents=True, exist_ok=True)
        secret.touch(mode=0o600)
        secret.write_text(secrets.token_urlsafe(32))
    password = secret.read_text().strip()
    if not re.fullmatch(r"[A-Za-z0-9_.~-]{8,}", password):  # others would have a meaning in Kafka's settings
        raise click.ClickException(f"{secret} 中的口令至少8位，只能用字母、数字和 - _ . ~，请改写或删去后重新启动。")
    return password


def _cluster_id() -> str:
    """A random id as Kafka writes them: 16 bytes in base64, without a leading dash."""
    made = base64.urlsafe_b64encode(uuid.uuid4().bytes).rstrip(b"=").decode()
    return made if not made.startswith("-") else _cluster_id()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@click.command(help="在本机前台启动一个 Kafka 节点，收到 SIGTERM 即停止。")
@click.option("--port", default=9092, envvar="YANGGUANG_KAFKA_PORT", show_envvar=True)
@click.option("--data", default=".data/kafka", envvar="YANGGUANG_KAFKA_DATA", show_envvar=True, type=Path)
@click.option("--cache", default=CACHE, envvar="YANGGUANG_KAFKA_CACHE", show_envvar=True, type=Path)
@click.option(
    "--password-file",
    "secret",
    envvar="YANGGUANG_KAFKA_PASSWORD_FILE",
    show_envvar=True,
    type=Path,
    help="管理员口令所在的文件，没有时自动生成；默认在数据目录中。",
)
@click.option("--open", "is_open", is_flag=True, help="不要求任何人提供口令（仅供试验）。")
@click.option("--advertised", default=0, help="端口：代理在前时告知客户端的端口")
@click.option("--end-with-parent", "parent", type=int, metavar="PID", help="启动者（进程号）退出时一并停止")
@click.option("--fetch-only", is_flag=True, help="只下载，不启动")
def main(port: int, cache: Path, parent: int | None, *, fetch_only: bool, **node: Any) -> None:
    """Fetch, format and become the broker."""
    lack = missing(cache)
    if lack is not None:
        raise click.ClickException(lack)
    if fetch_only:
        fetch(cache)
        return
    data, secret = node["data"], node["secret"] or node["data"] / "admin_password"
    password = "" if node["is_open"] else password_in(secret)
    arguments = command(Node(port, data, node["advertised"], password), cache)
    if parent is not None:
        end_with_parent(parent)
    click.echo(f"Kafka：127.0.0.1:{port}，数据在 {data}")
    if password:
        click.echo(f"  管理员 {ADMIN} 的口令在 {secret}；yangguang prepare 用它建立各服务的用户和主题。")
    os.execv(arguments[0], arguments)  # noqa: S606 - Kafka takes this process's place, and its signals


if __name__ == "__main__":
    main()
