"""Watching holds together: rules and dashboard name figures that exist, each process is asked, each alarm explained."""

import json
import re
from pathlib import Path
from typing import Any

import yaml

from shared.runtime.gauges import KIT_GAUGES
from shared.runtime.registry import load, service_names
from shared.runtime.service import Service
from shared.telemetry.metrics import REGISTRY

ROOT = Path(__file__).parents[2]
PROMETHEUS = ROOT / "deploy" / "prometheus"
OF_PROMETHEUS = {"up"}
SERVICES: list[Service] = [load(name) for name in service_names()]


def labels_by_name() -> dict[str, set[str]]:
    """Every series that the product can tell, with its labels."""
    for service in SERVICES:
        for gauge in (*KIT_GAUGES, *service.gauges):
            _ = gauge.metric  # registers it
    found: dict[str, set[str]] = {}
    for collector, names in REGISTRY._collector_to_names.items():
        labels = set(getattr(collector, "_labelnames", ()))
        found |= dict.fromkeys(names, labels)
    samples = [sample for metric in REGISTRY.collect() for sample in metric.samples]
    return found | {sample.name: set() for sample in samples if sample.name.startswith("process_")}


def rules() -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = yaml.safe_load((PROMETHEUS / "rules.yml").read_text())["groups"][0]["rules"]
    assert len(found) >= 15
    return found


def panels() -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads((ROOT / "deploy" / "grafana" / "dashboard.json").read_text())["panels"]
    return [panel for panel in found if panel["type"] != "row"]


def expressions() -> list[str]:
    return [rule["expr"] for rule in rules()] + [target["expr"] for panel in panels() for target in panel["targets"]]


SERIES = re.compile(r"\b((?:yangguang|process)_\w+)(?:\{([^}]*)\})?")


def unknown(expression: str, known: dict[str, set[str]]) -> list[str]:
    """What an expression names and the product does not tell."""
    wrong = []
    for name, matchers in SERIES.findall(expression):
        if name not in known:
            wrong.append(name)
            continue
        wanted = set(re.findall(r"(\w+)\s*[=!]~?", matchers or "")) - {"job", "instance"}
        wanted |= {label for by in re.findall(r"by \(([^)]*)\)", expression) for label in re.split(r",\s*", by)}
        wrong += [f"{name}{{{label}}}" for label in wanted - known[name] - {"le"}]
    return wrong


def test_a_wrong_name_or_label_would_be_seen() -> None:
    known = {"yangguang_x": {"service"}}
    assert unknown('max by (service) (yangguang_x{service="a"})', known) == []
    assert unknown("rate(yangguang_y[5m])", known) == ["yangguang_y"]
    assert unknown('yangguang_x{state="a"}', known) == ["yangguang_x{state}"]
    assert unknown("sum by (channel) (yangguang_x)", known) == ["yangguang_x{channel}"]


def test_rules_and_dashboard_name_figures_that_exist() -> None:
    known = labels_by_name()
    assert [wrong for expression in expressions() for wrong in unknown(expression, known)] == []
    named = {name for expression in expressions() for name, _ in SERIES.findall(expression)}
    assert named | OF_PROMETHEUS > {"yangguang_outbox_oldest_seconds", "yangguang_deliveries_unknown"}


def test_every_figure_is_on_the_dashboard() -> None:
    shown = " ".join(target["expr"] for panel in panels() for target in panel["targets"])
    figures = {
        re.sub(r"_(total|created|bucket|count|sum)$", "", name)
        for name in labels_by_name()
        if name.startswith("yangguang_")
    }
    assert len(figures) > 15
    assert [figure for figure in figures if figure not in shown] == []


def test_labels_name_kinds_and_never_a_person_or_an_id() -> None:
    allowed = {
        "service",
        "method",
        "route",
        "status",
        "topic",
        "verdict",
        "job",
        "state",
        "channel",
        "handling",
        "owner",
    }
    for name, labels in labels_by_name().items():
        assert labels <= allowed, name


def test_every_process_of_the_containers_is_asked() -> None:
    compose = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]
    commands = {name: service.get("command", []) for name, service in compose.items()}
    processes = {
        f"{name}:8000" for name, command in commands.items() if command[:1] == ["serve"] and "both" not in command
    }
    config = yaml.safe_load((PROMETHEUS / "prometheus.yml").read_text())
    (job,) = config["scrape_configs"]
    assert set(job["static_configs"][0]["targets"]) == processes
    assert job["job_name"] == "yangguang"
    assert config["rule_files"] == ["rules.yml"]
    watched = {service.name.replace("_", "-") for service in SERVICES} - {"sandbox"}
    assert {target.removesuffix(":8000").removesuffix("-public") for target in processes} == watched


def test_no_gateway_hands_the_figures_on() -> None:
    for service in SERVICES:
        assert "/metrics" not in (*service.paths, *service.public_paths)
    text = (ROOT / "deploy" / "gateway" / "Caddyfile").read_text()
    assert "/metrics" not in "\n".join(line for line in text.splitlines() if not line.strip().startswith("#"))


def test_every_alarm_says_what_it_means_and_what_to_do() -> None:
    names = [rule["alert"] for rule in rules()]
    assert len(set(names)) == len(names)
    for rule in rules():
        notes = rule["annotations"]
        assert re.search("[\u4e00-\u9fff]", notes["summary"]), rule["alert"]
        assert rule["labels"]["severity"] in {"page", "ticket"}
        path, _, anchor = notes["runbook"].partition("#")
        text = (ROOT / path).read_text()
        section = text.partition(f'<a id="{anchor}"></a>')[2].partition("<a id=")[0]
        assert rule["alert"] in section, rule["alert"]
        assert "意思：" in section, rule["alert"]
        assert "处理：" in section, rule["alert"]
