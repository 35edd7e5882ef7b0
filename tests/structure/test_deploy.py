"""The container files: every service, variable, secret, path and topic is there, and nothing runs as root."""

import json
import os
import re
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from ipaddress import ip_address, ip_network
from pathlib import Path

import click
import pytest
from click.testing import CliRunner
from pydantic_settings import BaseSettings

from deploy.kafka.launch import Node, password_in
from deploy.local.layout import OUTSIDE, Role, paths, roles
from deploy.make_secrets import main, make
from services.party_notification.settings import NotificationSettings
from shared.contracts.topics import TOPICS
from shared.crypto.keyring import KeyRing
from shared.http.routes import Zone
from shared.runtime.logs import admin_of, login_of
from shared.runtime.postgres.installation import installed_bin_folder, server_version
from shared.runtime.secrets import Secret, Vault
from shared.settings import CourtSettings, Environment, RunSettings
from tests.fixtures.deployments import DEPLOY, ROOT, Caddyfile, Document, compose, env_file, identity, kustomized

ROLES = {role.name.replace("_", "-"): role for role in roles()}
COMPOSE = compose()
BASE, DEMO = kustomized(DEPLOY / "k8s" / "base"), kustomized(DEPLOY / "k8s" / "demo")
CADDY = Caddyfile((DEPLOY / "gateway" / "Caddyfile").read_text(encoding="utf-8"))
STAFF_SITE, PUBLIC_SITE, DEMO_SITE = ":8001", ":8002", ":8000"
IMAGE = "yangguang:"
PREFIX = "@/run/secrets/"
PREPARE = "prepare"
"""Makes the databases ready, and ends."""

RUN = {
    "ENVIRONMENT",
    "SITE_URL",
    "DATABASE_URL",
    *(secret.name for secret in Secret),
    "TRUSTED_PROXY",
}
ABOUT_LOG = {f"YANGGUANG_{name}" for name in ("LOG", "KAFKA", "KAFKA_USER", "KAFKA_PASSWORD")}
"""What a process of the inner network is told of the event log, and one of the internet never is."""
SENDING = {"CARRIER_URL", "CARRIER_KEY_ID", "CARRIER_KEY_SECRET", "RECEIPT_SECRET"}
SENDING |= {"SMTP_HOST", "SMTP_PORT", "SMTP_TLS", "SMTP_USERNAME", "SMTP_PASSWORD", "SMTP_HELO"}
SENDING |= {"MAIL_SENDER", "MAIL_DOMAIN"}
OWN_PUBLIC = {"party-notification-public": {"PARTY_NOTIFICATION_RECEIPT_SECRET"}}
"""What a process of the public zone needs of its own: it takes receipts and sends nothing."""
OWN = {
    "staff": {"STAFF_ADMIN_PASSWORD"},
    "party_notification": {f"PARTY_NOTIFICATION_{name}" for name in SENDING},
    OUTSIDE: {"SANDBOX_CARRIER_SECRET", "SANDBOX_RECEIPT_URL", "SANDBOX_SMTP_HOST", "YANGGUANG_SANDBOX_SMTP_PORT"},
}
"""What each service must be told beside what all are told."""


@dataclass(frozen=True)
class Container:
    """A process of ours as a container file starts it."""

    where: str
    name: str
    words: list[str]
    env: Mapping[str, str]
    secrets: set[str]

    @property
    def role(self) -> Role:
        return ROLES[self.name]


def of_compose() -> Iterator[Container]:
    for name, service in COMPOSE["services"].items():
        if service["image"].startswith(IMAGE) and name != PREPARE:
            env = {key: str(value) for key, value in service["environment"].items()}
            for file in service["env_file"]:
                env |= env_file(ROOT / file)
            yield Container("compose", name, service["command"], env, set(service["secrets"]))


def of_kubernetes(documents: list[Document]) -> Iterator[Container]:
    maps = {name: each["data"] for each in documents for kind, name in [identity(each)] if kind == "ConfigMap"}
    for each in documents:
        if each["kind"] != "Deployment":
            continue
        pod = each["spec"]["template"]["spec"]
        (container,) = pod["containers"]
        if container["image"].startswith(IMAGE):
            env: dict[str, str] = {}
            for source in container["envFrom"]:
                env |= maps[source["configMapRef"]["name"]]
            env |= {item["name"]: item["value"] for item in container["env"]}
            (given,) = (volume["secret"]["items"] for volume in pod["volumes"] if "secret" in volume)
            assert all(item["key"] == item["path"] for item in given)
            yield Container("k8s", each["metadata"]["name"], container["args"], env, {item["key"] for item in given})


CONTAINERS = [*of_compose(), *of_kubernetes(DEMO)]
each_container = pytest.mark.parametrize("container", CONTAINERS, ids=lambda c: f"{c.where} {c.name}")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, str]:
    return make(tmp_path_factory.mktemp("secrets"))


def settings_of(container: Container) -> list[type[BaseSettings]]:
    return [RunSettings, CourtSettings, container.role.service.settings]


def prefix(settings: type[BaseSettings]) -> str:
    return settings.model_config["env_prefix"]


@pytest.mark.parametrize("where", ["compose", "k8s"])
def test_every_role_has_its_container_and_no_other_has_one(where: str) -> None:
    assert {each.name for each in CONTAINERS if each.where == where} == set(ROLES)


def test_the_base_leaves_only_the_outside_world_out() -> None:
    assert {each.name for each in of_kubernetes(BASE)} == set(ROLES) - {OUTSIDE}
    assert COMPOSE["services"][OUTSIDE]["profiles"] == COMPOSE["services"]["gateway"]["profiles"] == ["demo"]


@each_container
def test_it_serves_its_service_in_its_zone(container: Container) -> None:
    assert container.words == ["serve", container.role.service.name, "--zone", container.role.zone]


@each_container
def test_every_variable_is_a_setting_of_the_process(container: Container) -> None:
    known = {f"{prefix(each)}{field}".upper() for each in settings_of(container) for field in each.model_fields}
    assert set(container.env) <= known


@each_container
def test_every_variable_that_it_needs_is_set(container: Container) -> None:
    needed = {f"YANGGUANG_{name}" for name in RUN} | {f"COURT_{name.upper()}" for name in CourtSettings.model_fields}
    needed |= OWN_PUBLIC.get(container.name, OWN.get(container.role.service.name, set()))
    if container.name == OUTSIDE:
        needed.discard("YANGGUANG_TRUSTED_PROXY")
    assert needed <= set(container.env)
    assert set(container.env) & ABOUT_LOG == (set() if container.role.zone == Zone.PUBLIC else ABOUT_LOG)


@each_container
def test_the_settings_accept_the_values(container: Container, made: Mapping[str, str], tmp_path: Path) -> None:
    for name, text in made.items():
        (tmp_path / name).write_text(text)
    values = {name: text.replace(PREFIX, f"@{tmp_path}/") for name, text in container.env.items()}
    for each in settings_of(container):
        start = prefix(each)
        fields = {name.removeprefix(start).lower(): text for name, text in values.items() if name.startswith(start)}
        read = each.model_validate({name: text for name, text in fields.items() if name in each.model_fields})
        if isinstance(read, RunSettings):
            service, part = container.role.service.name, container.role.part
            assert read.database_url == made[container.role.database_secret]
            assert f"//{part.role(service)}:" in read.database_url
            assert read.database_url.endswith(f"/{service}")
            assert not read.owner_url
            assert not read.kafka_admin_password
            entry, secret = login_of(read, service), container.role.log_secret
            assert (entry.user, entry.password) == ((service, made[secret]) if secret else ("", ""))


@pytest.mark.parametrize(
    ("containers", "left"),
    [
        (of_kubernetes(BASE), {"CARRIER_URL", "CARRIER_KEY_ID", "SMTP_HOST", "MAIL_SENDER", "MAIL_DOMAIN"}),
        (of_compose(), {"CARRIER_URL", "CARRIER_KEY_ID", "SMTP_HOST", "SMTP_TLS", "MAIL_SENDER", "MAIL_DOMAIN"}),
    ],
    ids=["k8s", "compose"],
)
def test_only_addresses_are_left_to_fill_in_before_a_production_starts(
    containers: Iterator[Container], left: set[str], made: Mapping[str, str]
) -> None:
    start = prefix(NotificationSettings)
    for container in containers:
        if container.role.service.settings is NotificationSettings and container.role.zone != Zone.PUBLIC:
            own = {name: text for name, text in container.env.items() if name.startswith(start)}
            env = {name.removeprefix(start).lower(): text for name, text in own.items()}
            env |= {name: made[text.removeprefix(PREFIX)] for name, text in env.items() if text.startswith(PREFIX)}
            lacking = NotificationSettings.model_validate(env).lacking()
            assert {each.removeprefix(start).partition("（")[0] for each in lacking} == left


@each_container
def test_it_is_handed_exactly_the_secrets_that_it_names(container: Container, made: Mapping[str, str]) -> None:
    """Of the keys, which all have names, it is handed those that its service declares for its zone, and no other."""
    held = container.role.service.held([*Zone] if container.role.zone == "both" else [Zone(container.role.zone)])
    others = {secret.setting for secret in Secret if secret not in held}
    named = {
        text.removeprefix(PREFIX) for name, text in container.env.items() if text[:1] == "@" and name not in others
    }
    named = {text.replace("{service}", container.role.service.name) for text in named}
    assert container.secrets == named
    assert named <= set(made)


@each_container
def test_it_starts_with_the_keys_that_it_is_handed(
    container: Container, made: Mapping[str, str], tmp_path: Path
) -> None:
    for name in container.secrets:
        (tmp_path / name).write_text(made[name])
    given = {secret.value: container.env[secret.setting].replace(PREFIX, f"@{tmp_path}/") for secret in Secret}
    run = RunSettings.model_validate({**given, "environment": "production", "data": tmp_path / "none"})
    service = container.role.service
    zones = [*Zone] if container.role.zone == "both" else [Zone(container.role.zone)]
    keys = Vault(run).keys(service.name, service.held(zones))
    if Secret.KEYRING in service.held(zones):
        assert keys.keyring.open(keys.drop.seal("x", "p"), "p") == "x"
    assert not (tmp_path / "none").exists()


def test_who_signs_in_and_who_opens() -> None:
    """No process of the public zone signs a staff token or opens what the inner network keeps, of this service."""
    holders = {
        secret: {each.name for each in CONTAINERS if secret.file_name(each.role.service.name) in each.secrets}
        for secret in Secret
    }
    assert holders[Secret.TOKEN_KEY] == {"staff"}
    assert holders[Secret.TOKEN_PUBLIC_KEY] == set(ROLES)
    assert holders[Secret.SIGNING_KEY] == {"party-notification", "stage-tracking"}
    assert holders[Secret.PARTY_SESSIONS] == {"party-notification-public"}
    assert "asset-tips-public" not in holders[Secret.KEYRING] | holders[Secret.EXCHANGE]


@pytest.mark.parametrize("zone", ["staff", "public"])
def test_the_gateways_alone_are_believed_about_the_clients_address(zone: str) -> None:
    services = COMPOSE["services"]
    gateways = {name for name in services if name.startswith("gateway")}
    nets = [services[name]["networks"].get(zone) for name in sorted(gateways)]
    addresses = {net["ipv4_address"] for net in nets if net}
    for each in of_compose():
        if each.role.zone == zone:
            assert set(each.env["YANGGUANG_TRUSTED_PROXY"].split(",")) == addresses
            assert zone in services[each.name]["networks"]
    (pool,) = COMPOSE["networks"][zone]["ipam"]["config"]
    assert all(ip_address(each) not in ip_network(pool["ip_range"]) for each in addresses)


def test_secrets_are_made_once_and_are_the_same_for_kubernetes(tmp_path: Path) -> None:
    first = make(tmp_path)
    assert make(tmp_path) == first
    assert (tmp_path / ".gitignore").read_text() == "*\n"
    assert json.loads((tmp_path / "kubernetes.json").read_text())["stringData"] == first
    assert first["sandbox_receipt_url"].endswith(f":8002/api/notices/receipts/aliyun/{first['receipt_secret']}")
    assert KeyRing.from_text(first["keyring_staff"]).current != KeyRing.from_text(first["keyring_sandbox"]).current
    assert len(set(first.values())) == len(first)
    for name, place in COMPOSE["secrets"].items():
        assert place == {"file": f"deploy/.secrets/{name}"}
    assert set(COMPOSE["secrets"]) == set(first)


def secrets_of(pod: Document) -> set[str]:
    (given,) = (volume["secret"]["items"] for volume in pod["volumes"] if "secret" in volume)
    return {item["path"] for item in given}


def test_the_database_gets_a_role_for_every_process_and_an_owner_for_every_service(made: Mapping[str, str]) -> None:
    databases = {name for name in made if name.startswith("database_")}
    owners = {name for name in made if name.startswith("owner_")}
    assert databases == {role.database_secret for role in ROLES.values()}
    assert owners == {f"owner_{role.service.name}" for role in ROLES.values()}
    assert set(COMPOSE["services"]["postgres"]["secrets"]) == databases | owners | {"postgres_password"}
    (pod,) = (each["spec"]["template"]["spec"] for each in BASE if identity(each) == ("StatefulSet", "postgres"))
    assert secrets_of(pod) == databases | owners | {"postgres_password"}


def test_the_owners_are_known_to_the_preparation_alone(made: Mapping[str, str], tmp_path: Path) -> None:
    owners = {name for name in made if name.startswith("owner_")}
    logins = {name for name in made if name.startswith("kafka_")}
    env = preparation()
    for documents in (BASE, DEMO):
        (pod,) = (each["spec"]["template"]["spec"] for each in documents if identity(each) == ("Job", PREPARE))
        assert secrets_of(pod) == set(COMPOSE["services"][PREPARE]["secrets"]) == owners | logins
    for name, text in made.items():
        (tmp_path / name).write_text(text)
    values = {name.removeprefix("YANGGUANG_").lower(): text for name, text in env.items()}
    run = RunSettings.model_validate({name: text.replace(PREFIX, f"@{tmp_path}/") for name, text in values.items()})
    assert admin_of(run).password == made["kafka_admin"]
    for role in ROLES.values():
        name = role.service.name
        assert run.owner_of(name) == made[f"owner_{name}"]
        assert f"//{name}_owner:" in made[f"owner_{name}"]
        assert login_of(run, name).password == made[f"kafka_{name}"]


def preparation() -> Mapping[str, str]:
    """What the preparation is told, by either file."""
    (job,) = (each["spec"]["template"]["spec"] for each in DEMO if identity(each) == ("Job", PREPARE))
    (container,) = job["containers"]
    service = COMPOSE["services"][PREPARE]
    assert container["args"] == service["command"] == ["prepare", "all"]
    maps = {name: each["data"] for each in DEMO for kind, name in [identity(each)] if kind == "ConfigMap"}
    env: dict[str, str] = dict(maps["log"])
    for item in container["env"]:
        asked = item.get("valueFrom", {}).get("configMapKeyRef")
        env[item["name"]] = maps[asked["name"]][asked["key"]] if asked else item["value"]
    assert [each["configMapRef"]["name"] for each in container["envFrom"]] == ["log"]
    assert env == service["environment"]
    return env


def test_no_process_of_the_internet_reaches_one_of_the_inner_network() -> None:
    """A stolen one finds the databases on its networks, its gateway, and others of the internet."""
    nets = {name: set(service["networks"]) for name, service in COMPOSE["services"].items()}
    public = {name for name, role in ROLES.items() if role.zone == Zone.PUBLIC}
    demonstration = {"gateway", "sandbox"}  # both on one address, with the outside world in a box
    near = {other for name in public for other in nets if nets[other] & nets[name]} - demonstration
    assert near == public | {"postgres", "gateway-public"}
    assert all(COMPOSE["networks"][name] == {"internal": True} for name in ("backend", "backend-public"))


def test_no_process_of_the_internet_reaches_the_event_log() -> None:
    """Not by a user, and not by the network: the broker stands in one of its own."""
    services = COMPOSE["services"]
    inside = {name for name, role in ROLES.items() if role.zone != Zone.PUBLIC}
    on_it = {name for name, service in services.items() if "log" in service["networks"]}
    assert on_it == inside | {"kafka", PREPARE}
    assert services["kafka"]["networks"] == ["log"]
    assert "ports" not in services["kafka"]
    assert COMPOSE["networks"]["log"] == {"internal": True}
    labelled = {
        each["metadata"]["name"]
        for each in DEMO
        if each["kind"] in {"Deployment", "StatefulSet", "Job"}
        and each["spec"]["template"]["metadata"]["labels"].get("yangguang/log")
    }
    assert labelled == inside | {PREPARE}
    policies = [each["spec"] for each in DEMO if each["kind"] == "NetworkPolicy"]
    to_kafka = [each for each in policies if "9092" in json.dumps(each)]
    assert [each["policyTypes"] for each in to_kafka] == [["Egress"], ["Ingress"]]
    assert to_kafka[0]["podSelector"] == to_kafka[1]["ingress"][0]["from"][0]["podSelector"]
    assert to_kafka[0]["podSelector"] == {"matchLabels": {"yangguang/log": "yes"}}


def test_each_process_has_the_user_of_its_service_at_kafka_and_no_other(made: Mapping[str, str]) -> None:
    for container in CONTAINERS:
        held = {name for name in container.secrets if name.startswith("kafka_")}
        assert held == {container.role.log_secret} - {""}, container.name
    assert set(COMPOSE["services"]["kafka"]["secrets"]) == {"kafka_admin"}
    assert {name for name in made if name.startswith("kafka_")} == {
        "kafka_admin",
        *(role.log_secret for role in ROLES.values() if role.log_secret),
    }


def properties(env: Mapping[str, str]) -> dict[str, str]:
    """The broker's settings, as the official image makes them of its environment."""
    found = {}
    for name, value in env.items():
        if name.startswith("KAFKA_") and name != "KAFKA_HEAP_OPTS":
            key = name.removeprefix("KAFKA_").lower().replace("_", ".").replace("...", "-").replace("..", "_")
            found[key] = value
    return found


@pytest.fixture(scope="module")
def started_broker(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, str]:
    """The environment with which the broker's own start hands over to the image's, of the compose file."""
    done = start_broker(tmp_path_factory.mktemp("broker"), "a-password")
    assert done.returncode == 0, done.stderr
    return dict(line.split("=", 1) for line in done.stdout.split("\0") if "=" in line)


@pytest.mark.parametrize("password", ["", "short", 'x"; user_eve="12345678', "with a space"])
def test_the_broker_does_not_start_with_a_password_that_is_none(password: str, tmp_path: Path) -> None:
    done = start_broker(tmp_path, password)
    assert done.returncode == 1
    assert "kafka_admin" in done.stderr
    (tmp_path / "kept").write_text(password)
    with pytest.raises(click.ClickException, match="口令至少8位"):
        password_in(tmp_path / "kept")


def start_broker(folder: Path, password: str) -> "subprocess.CompletedProcess[str]":
    """The broker's own start, with the image's in place of which the environment is printed."""
    (folder / "kafka_admin").write_text(password)
    (folder / "run").write_text("#!/bin/bash\nexec env -0\n")
    (folder / "run").chmod(0o755)
    text = (DEPLOY / "broker" / "start.sh").read_text()
    for there, here in (("/run/secrets/", f"{folder}/"), ("/etc/kafka/docker/run", f"{folder}/run")):
        assert there in text
        text = text.replace(there, here)
    given = {name: str(value) for name, value in COMPOSE["services"]["kafka"]["environment"].items()}
    env = {"PATH": os.environ["PATH"], **given, "KAFKA_LOG_DIRS": str(folder / "none")}
    return subprocess.run(["bash", "-c", text], env=env, check=False, capture_output=True, text=True)


def test_the_broker_asks_everybody_for_a_password_everywhere(started_broker: Mapping[str, str], tmp_path: Path) -> None:
    """The containers' broker guards its door as the one does that `make run-kafka` and the tests start."""
    lines = Node(1, tmp_path, password="a-password").properties().splitlines()
    here = dict(line.split("=", 1) for line in lines if line)
    there = properties(started_broker)
    guards = ("sasl", "authorizer", "allow.everyone", "super.users", "listener.name", "inter.broker", "controller.list")
    for key in here.keys() | there.keys():
        if key.startswith(guards):
            assert here.get(key) == there.get(key), key
    kinds = "listener.security.protocol.map"
    assert here[kinds] == there[kinds] == "CLIENT:SASL_PLAINTEXT,CONTROLLER:SASL_PLAINTEXT"
    assert there["listeners"] == "CLIENT://:9092,CONTROLLER://localhost:9093"
    assert there["allow.everyone.if.no.acl.found"] == "false"


def test_the_base_image_made_here_reads_its_settings_as_the_official_one(
    started_broker: Mapping[str, str], tmp_path: Path
) -> None:
    text = (DEPLOY / "images" / "kafka-run").read_text()
    reading = text[: text.index("java=(")].replace("/opt/kafka/config/server.properties", str(tmp_path / "made"))
    subprocess.run(["bash", "-c", reading], env={"PATH": os.environ["PATH"], **started_broker}, check=True)
    made = dict(line.split("=", 1) for line in (tmp_path / "made").read_text().splitlines())
    assert made == properties(started_broker)


def test_each_topic_is_told_and_followed_by_somebody_and_the_broker_makes_none_by_itself() -> None:
    """The preparation makes those that the services declare."""
    services = {role.service.name: role.service for role in ROLES.values()}.values()
    assert frozenset[str]().union(*(each.told for each in services)) == TOPICS.keys()
    assert frozenset[str]().union(*(each.followed(Environment.DEMO) for each in services)) == TOPICS.keys()
    assert {name: n for each in services for name, n in each.topics(Environment.DEMO).items()} == TOPICS
    assert COMPOSE["services"]["kafka"]["environment"]["KAFKA_AUTO_CREATE_TOPICS_ENABLE"] == "false"


def test_the_broker_is_the_same_everywhere() -> None:
    version = re.search(r"<kafka.version>(.+?)<", (DEPLOY / "kafka" / "pom.xml").read_text())
    (pod,) = (each["spec"]["template"]["spec"] for each in BASE if identity(each) == ("StatefulSet", "kafka"))
    (broker,), service = pod["containers"], COMPOSE["services"]["kafka"]
    assert version
    assert broker["image"] == service["image"] == f"apache/kafka:{version[1]}"
    assert {e["name"]: e["value"] for e in broker["env"]} == {k: str(v) for k, v in service["environment"].items()}


def test_every_secret_of_every_container_is_listed_with_its_reason() -> None:
    processes, _, reasons = (DEPLOY.parent / "docs" / "secrets.md").read_text(encoding="utf-8").partition("## 理由")
    listed = {
        name: set(re.findall(r"`(\w+)`", row))
        for name, row in re.findall(r"^\| `(.+?)` \| (.+) \|$", processes, re.MULTILINE)
    }
    given = {name: set(each["secrets"]) for name, each in COMPOSE["services"].items() if "secrets" in each}
    assert listed == given
    pods = {
        each["metadata"]["name"]: each["spec"]["template"]["spec"]
        for each in DEMO
        if "template" in each.get("spec", ())
    }
    assert {name: secrets_of(pod) for name, pod in pods.items() if any("secret" in v for v in pod["volumes"])} == given
    explained = [name.replace("<服务>", r"\w+") for name in re.findall(r"^\| `(.+?)` \| .+ \|$", reasons, re.MULTILINE)]
    for secret in set().union(*given.values()):
        assert any(re.fullmatch(name, secret) for name in explained), secret


def test_the_database_is_of_the_same_major_everywhere() -> None:
    """What one of them kept another one must be able to bring back."""
    major = server_version(installed_bin_folder()).partition(".")[0]
    (pod,) = (each["spec"]["template"]["spec"] for each in BASE if identity(each) == ("StatefulSet", "postgres"))
    images = pod["containers"][0]["image"], COMPOSE["services"]["postgres"]["image"]
    assert {re.findall(r"^postgres:(\d+)\.", image)[0] for image in images} == {major}
    for path in ("docker-compose.yml", "deploy/k8s/base/postgres.yaml", "deploy/images/postgres.Dockerfile"):
        assert re.findall(r"/var/lib/postgresql/(\d+)/docker", (ROOT / path).read_text()) == [major], path
    assert f"/pginstall{major}/bin:" in (DEPLOY / "images" / "postgres.Dockerfile").read_text()


@pytest.mark.parametrize("below", ["", "/x"])
def test_the_gateway_leads_every_path_to_its_process(below: str) -> None:
    for path, name in paths(list(ROLES.values())).items():
        if path == "/" or (below and path.startswith("/openapi/")):
            continue
        role, upstream = ROLES[name.replace("_", "-")], f"{name.replace('_', '-')}:8000"
        assert CADDY.answers(DEMO_SITE, path + below) == (upstream, path + below)
        for site, zone in ((STAFF_SITE, "staff"), (PUBLIC_SITE, "public")):
            public_document = zone == "public" and path.startswith("/openapi/")
            if role.zone == zone and not public_document:
                assert CADDY.answers(site, path + below) == (upstream, path + below)


def test_the_start_pages_are_those_of_the_site() -> None:
    home = ("party-notification-public:8000", "/")
    assert CADDY.answers(DEMO_SITE, "/") == CADDY.answers(PUBLIC_SITE, "/") == home
    assert CADDY.answers(STAFF_SITE, "/") == ("gateway", "/")


@pytest.mark.parametrize("path", ["/static/app.css", "/docs", "/docs/staff", "/asyncapi"])
def test_pages_of_all_come_from_one_process(path: str) -> None:
    assert CADDY.answers(DEMO_SITE, path) == CADDY.answers(STAFF_SITE, path) == ("staff:8000", path)


@pytest.mark.parametrize(("site", "zones"), [(STAFF_SITE, {"staff"}), (PUBLIC_SITE, {"public"})])
def test_a_site_reaches_no_process_of_the_other_zone(site: str, zones: set[str]) -> None:
    every = [path + below for path in paths(list(ROLES.values())) for below in ("", "/x")]
    asked = {CADDY.answers(site, path)[0] for path in [*every, "/static/x", "/docs", "/nowhere", "/api/nowhere"]}
    asked |= CADDY.asked_for_readiness(site)
    assert {ROLES[each.removesuffix(":8000")].zone for each in asked - {"gateway"}} == zones


@pytest.mark.parametrize("site", [STAFF_SITE, PUBLIC_SITE, DEMO_SITE])
@pytest.mark.parametrize("path", ["/metrics", "/healthz", "/readyz", "/metrics/x", "/nowhere"])
def test_what_is_the_processes_own_stays_inside(site: str, path: str) -> None:
    assert CADDY.answers(site, path)[1] in {"/nothing-here", *(["/readyz"] if path == "/readyz" else [])}
    assert CADDY.answers(site, "/readyz")[0] == "gateway"


def test_a_site_is_ready_when_all_its_processes_are() -> None:
    upstreams = {f"{name}:8000": role.zone for name, role in ROLES.items()}
    assert CADDY.asked_for_readiness(DEMO_SITE) == set(upstreams)
    for site, zone in ((STAFF_SITE, "staff"), (PUBLIC_SITE, "public")):
        assert CADDY.asked_for_readiness(site) == {name for name, of in upstreams.items() if of == zone}


def test_a_court_is_asked_for_every_variable_and_for_nothing_else() -> None:
    """All that the compose file lets a court say, but the demonstration's own and what is seldom said."""
    known = set(re.findall(r"\$\{(\w+):-", (ROOT / "docker-compose.yml").read_text()))
    asked = {name for name in env_file(DEPLOY / "court.compose.env.example") if not name.startswith("COMPOSE_")}
    assert asked <= known
    assert known - asked == {"YANGGUANG_VERSION", "YANGGUANG_DEMO_BIND", "PARTY_NOTIFICATION_SMTP_HELO"}


def test_both_sites_speak_tls_when_told_so_and_are_given_their_certificates() -> None:
    text = (DEPLOY / "gateway" / "Caddyfile").read_text()
    for site in (STAFF_SITE, PUBLIC_SITE, DEMO_SITE):
        assert f"\n{site} {{\n\timport {{$YANGGUANG_TLS:plain}}\n" in text
    assert "\n(plain) {\n}\n" in text
    (files,) = re.findall(r"\n\(certificates\) \{\n\ttls (\S+) (\S+)\n\}", text)
    for name in ("staff", "public"):
        gateway = COMPOSE["services"][f"gateway-{name}"]
        assert gateway["environment"]["YANGGUANG_TLS"] == "plain"
        assert f"./deploy/.certificates/{name}:{Path(files[0]).parent}:ro" in gateway["volumes"]


def test_new_keys_are_handed_out_before_they_lead(tmp_path: Path) -> None:
    first = make(tmp_path)
    ring, drop = "keyring_party_notification", "drop_party_notification"

    def run(*options: str) -> tuple[int, str]:
        answer = CliRunner().invoke(main, ["--folder", str(tmp_path), *options])
        return answer.exit_code, answer.output

    code, said = run("--rotate")
    assert (code, "全部就绪后再运行 --promote" in said) == (0, True)
    handed = KeyRing.from_text((tmp_path / ring).read_text())
    assert handed.current == KeyRing.from_text(first[ring]).current
    assert (tmp_path / drop).read_text() == first[drop]
    code, said = run("--rotate")
    assert (code, "还没有启用" in said) == (1, True)
    assert run("--rotate", "--promote")[0] == 2
    assert run("--promote")[0] == 0
    led = KeyRing.from_text((tmp_path / ring).read_text())
    assert led.current == next(iter(handed.parts.keys)) != handed.current
    assert (tmp_path / drop).read_text() == led.drop.to_text() != first[drop]
    told = json.loads((tmp_path / "kubernetes.json").read_text())["stringData"]
    assert told[ring] == (tmp_path / ring).read_text()
