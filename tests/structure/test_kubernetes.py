"""The manifests hold together, and no container file names a floating image or runs anything as root."""

import re
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml

from tests.fixtures.deployments import DEPLOY, Document, compose, composed, identity, kustomized, pins

BASE, DEMO = kustomized(DEPLOY / "k8s" / "base"), kustomized(DEPLOY / "k8s" / "demo")
VERSION = "1.33"
"""The Kubernetes that the manifests are checked against."""

both = pytest.mark.parametrize("documents", [BASE, DEMO], ids=["base", "demo"])


def workloads(documents: list[Document]) -> list[Document]:
    return [each for each in documents if each["kind"] in {"Deployment", "StatefulSet", "Job"}]


def lasting(documents: list[Document]) -> list[Document]:
    return [each for each in workloads(documents) if each["kind"] != "Job"]


def pod_of(workload: Document) -> Document:
    found: Document = workload["spec"]["template"]["spec"]
    return found


@both
def test_every_manifest_is_valid_and_named_once(documents: list[Document]) -> None:
    for each in documents:
        kubernetes_validate.validate(each, VERSION, strict=True)
    assert len({identity(each) for each in documents}) == len(documents)


@pytest.mark.parametrize("folder", ["base", "demo"])
def test_every_file_is_listed(folder: str) -> None:
    place = DEPLOY / "k8s" / folder
    book = yaml.safe_load((place / "kustomization.yaml").read_text())
    listed = {*book["resources"], *(patch["path"] for patch in book.get("patches", ()))}
    assert {path.name for path in place.iterdir()} - {"kustomization.yaml"} == {n for n in listed if "/" not in n}


@both
def test_whatever_a_pod_names_is_there(documents: list[Document]) -> None:
    known = {identity(each) for each in documents} | {("Secret", "yangguang")}
    for workload in workloads(documents):
        pod = pod_of(workload)
        (container,) = pod["containers"]
        named = {("ConfigMap", source["configMapRef"]["name"]) for source in container.get("envFrom", ())}
        named |= {("ConfigMap", v["configMap"]["name"]) for v in pod["volumes"] if "configMap" in v}
        named |= {("Secret", v["secret"]["secretName"]) for v in pod["volumes"] if "secret" in v}
        assert named <= known
        claims = {claim["metadata"]["name"] for claim in workload["spec"].get("volumeClaimTemplates", ())}
        mounted = {mount["name"] for mount in container["volumeMounts"]}
        assert mounted == claims | {volume["name"] for volume in pod["volumes"]}


@both
def test_every_workload_has_its_service_ports_probe_and_resources(documents: list[Document]) -> None:
    services = {each["metadata"]["name"]: each["spec"] for each in documents if each["kind"] == "Service"}
    assert set(services) == {each["metadata"]["name"] for each in lasting(documents)}
    for workload in lasting(documents):
        service = services[workload["metadata"]["name"]]
        (container,) = pod_of(workload)["containers"]
        assert service["selector"].items() <= workload["spec"]["template"]["metadata"]["labels"].items()
        ports = {port["name"]: port["containerPort"] for port in container["ports"]}
        assert {port["targetPort"]: port["port"] for port in service["ports"]} == ports
        assert "readinessProbe" in container
        assert container["resources"]["limits"]["memory"]


@both
def test_network_policies_name_pods_that_exist(documents: list[Document]) -> None:
    labels = [each["spec"]["template"]["metadata"]["labels"] for each in workloads(documents)]
    for each in documents:
        if each["kind"] != "NetworkPolicy":
            continue
        for selector in selectors(each["spec"]):
            assert any(selector.items() <= found.items() for found in labels), (identity(each), selector)


def selectors(node: Any) -> list[dict[str, str]]:
    if isinstance(node, list):
        return [found for each in node for found in selectors(each)]
    if not isinstance(node, dict) or "namespaceSelector" in node:  # pods of other namespaces are not ours to name
        return []
    own = [node["matchLabels"]] if "matchLabels" in node else []
    own += [{item["key"]: value} for item in node.get("matchExpressions", ()) for value in item["values"]]
    return own + [found for each in node.values() for found in selectors(each)]


def test_nothing_passes_between_pods_unless_a_policy_lets_it() -> None:
    (nobody,) = (each["spec"] for each in BASE if identity(each) == ("NetworkPolicy", "nobody"))
    assert nobody == {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}


@both
def test_no_pod_runs_as_root(documents: list[Document]) -> None:
    for workload in workloads(documents):
        pod = pod_of(workload)
        assert pod["securityContext"]["runAsNonRoot"] is True
        assert pod["securityContext"]["runAsUser"] >= 999
        (container,) = pod["containers"]
        assert container["securityContext"]["allowPrivilegeEscalation"] is False
        assert container["securityContext"]["capabilities"]["drop"] == ["ALL"]


def test_no_container_of_compose_runs_as_root() -> None:
    dockerfile = (DEPLOY / "Dockerfile").read_text()
    assert re.findall(r"^USER (\S+)$", dockerfile, re.MULTILINE) == ["10001:10001"]
    for name, service in compose()["services"].items():
        ours = service["image"].startswith("yangguang:")
        assert ours or service["user"] in {"postgres", "appuser", "1000:1000"}, name
        assert service["cap_drop"] == ["ALL"], name
        assert "no-new-privileges:true" in service["security_opt"], name


def images() -> list[tuple[str, str]]:
    found = [("compose", service["image"]) for service in compose()["services"].values()]
    found += [("k8s", container["image"]) for each in workloads(DEMO) for container in pod_of(each)["containers"]]
    watching = composed(DEPLOY / "prometheus" / "compose.yml")["services"].values()
    return found + [("prometheus", service["image"]) for service in watching]


def test_the_images_of_others_are_named_in_one_place() -> None:
    named = set(pins().values())
    for name in named:
        repository, _, tag = name.partition(":")
        assert re.fullmatch(r"v?\d+\.\d+.*", tag), name
        assert "." not in repository.partition("/")[0], name
    used = {image for _, image in images() if not image.startswith("yangguang:")}  # digests, too
    assert used | {pins()["PYTHON_IMAGE"]} == named
    dockerfile = (DEPLOY / "Dockerfile").read_text()
    assert set(re.findall(r"^FROM (\S+)", dockerfile, re.MULTILINE)) == {"${PYTHON_IMAGE}"}


def test_every_base_image_can_be_made_on_this_machine() -> None:
    script = (DEPLOY / "images" / "make.sh").read_text()
    for variable in set(pins()) - {"PROMETHEUS_IMAGE", "GRAFANA_IMAGE"}:
        which = variable.removesuffix("_IMAGE")
        assert f"make {which} " in script
        assert (DEPLOY / "images" / f"{which.lower()}.Dockerfile").exists()
    assert Path(DEPLOY / "images" / "make.sh").stat().st_mode & 0o111
