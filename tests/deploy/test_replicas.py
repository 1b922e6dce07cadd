"""A second replica in Kubernetes is distinct from the first for Prometheus and for the Deployments."""

from __future__ import annotations

import functools
import json
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import pytest
import yaml

from tests.conftest import Program, until
from tests.deploy import blocks
from tests.deploy.test_kubernetes import FOLDER, KUSTOMIZATION, Manifest, build, label, only
from tests.prometheus_server import Prometheus
from tests.rules.promql import PROMETHEUS


@pytest.fixture(scope="module")
def replicas(tmp_path_factory: pytest.TempPathFactory) -> list[Manifest]:
    """The manifests with a second replica, created by the command in README.md."""
    folder = tmp_path_factory.mktemp("replicas") / "kubernetes"
    shutil.copytree(FOLDER, folder)
    (line,) = (line for block in blocks("sh") for line in block.splitlines() if line.startswith("sed "))
    subprocess.run(line, shell=True, cwd=folder, check=True, timeout=60)
    named = KUSTOMIZATION | {"resources": [*KUSTOMIZATION["resources"], "deployment-b.yaml"]}
    (folder / "kustomization.yaml").write_text(yaml.safe_dump(named))
    return build(folder)


def test_a_second_replica(replicas: list[Manifest]) -> None:
    """It has a separate name, label and Secret, and neither Deployment selects the pod of the other."""
    # Their order depends on the version of kubectl.
    item, other = sorted((each for each in replicas if each["kind"] == "Deployment"), key=label)
    assert label(item) != label(other)
    labels = [each["spec"]["template"]["metadata"]["labels"] for each in (item, other)]
    for each, own, foreign in ((item, *labels), (other, *reversed(labels))):
        selected = each["spec"]["selector"]["matchLabels"].items()
        assert selected <= own.items()
        assert not selected <= foreign.items()
        assert only("Service")["spec"]["selector"].items() <= own.items()
        assert only("NetworkPolicy")["spec"]["podSelector"]["matchLabels"].items() <= own.items()
    secrets = [
        each["spec"]["template"]["spec"]["volumes"][0]["secret"]["secretName"] for each in (item, other)
    ]
    assert len(set(secrets)) == 2
    (command,) = (
        line for block in blocks("sh") for line in block.splitlines() if f"generic {secrets[1]} " in line
    )
    assert "--from-file=token=" in command


META = "__meta_kubernetes_"


class Scraped:
    """A Prometheus with the rules and the ServiceMonitor's configuration that scrapes two exporters."""

    def __init__(self, folder: Path, addresses: list[str], pods: list[Manifest], relabelings: Any) -> None:
        targets = [
            {
                "targets": [address],
                "labels": {
                    f"{META}namespace": "packetfabric",
                    f"{META}service_name": only("Service")["metadata"]["name"],
                    f"{META}pod_name": f"pod-{number}",
                }
                | {
                    f"{META}pod_label_{re.sub(r'[^a-zA-Z0-9_]', '_', key)}": value
                    for key, value in pod["metadata"]["labels"].items()
                },
            }
            for number, (address, pod) in enumerate(zip(addresses, pods, strict=True))
        ]
        relabel = [
            {re.sub("[A-Z]", lambda found: f"_{found[0].lower()}", key): value for key, value in item.items()}
            # The operator adds the label pod.
            for item in ({"sourceLabels": [f"{META}pod_name"], "targetLabel": "pod"}, *relabelings)
        ]
        (folder / "rules.yml").write_bytes((PROMETHEUS / "rules.yml").read_bytes())
        config = {
            "global": {"scrape_interval": "1s", "evaluation_interval": "1s"},
            "rule_files": ["rules.yml"],
            "scrape_configs": [{"job_name": "x", "static_configs": targets, "relabel_configs": relabel}],
        }
        self.prometheus = Prometheus(folder, yaml.safe_dump(config))

    def rule_errors(self) -> dict[str, str]:
        """Return the last error of each rule that could not be evaluated."""
        with urlopen(f"{self.prometheus.url}/api/v1/rules", timeout=60) as page:
            groups = json.load(page)["data"]["groups"]
        return {
            item["name"]: item["lastError"]
            for group in groups
            for item in group["rules"]
            if "lastError" in item
        }

    def has_both(self, name: str, by: str) -> bool:
        """Return whether the series of a name have two values of a label."""
        return len(self.prometheus.query(f"count by ({by}) ({name})")) == 2


@pytest.fixture(scope="module")
def start_scraping(
    replicas: list[Manifest], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Callable[[Any], Scraped]]:
    """Starts a Prometheus with the given relabelings that scrapes two exporters."""
    exporters = [Program("demo", "--web.listen-address=127.0.0.1:0", "--interval=1s") for _ in range(2)]
    found = [re.search(r"addresses=(\S+)", item.wait_for("msg=listening")) for item in exporters]
    addresses = [item[1] for item in found if item is not None]
    pods = [item["spec"]["template"] for item in replicas if item["kind"] == "Deployment"]
    started: list[Scraped] = []

    def start(relabelings: Any) -> Scraped:
        started.append(Scraped(tmp_path_factory.mktemp("scraped"), addresses, pods, relabelings))
        return started[-1]

    yield start
    for item in started:
        item.prometheus.stop()
    for exporter in exporters:
        exporter.process.kill()
        exporter.end()
        assert exporter.process.stdout is not None
        exporter.process.stdout.close()


JOINED = "port:packetfabric_port_utilization:avg10m"
"""A rule with a join, which would fail for two series with the same labels."""


def test_rules_fold_replicas(start_scraping: Callable[[Any], Scraped]) -> None:
    """Two replicas have two values of instance, and every recording rule has one series for both."""
    (endpoint,) = only("ServiceMonitor")["spec"]["endpoints"]
    scraped = start_scraping(endpoint["relabelings"])
    until(lambda: scraped.has_both("packetfabric_port_info", "instance"), "both are scraped")
    seen = {item["metric"]["instance"] for item in scraped.prometheus.query("last_over_time(up[1m])")}
    assert seen == {"packetfabric/pf-exporter", "packetfabric/pf-exporter-b"}
    for name in (JOINED, "vc:packetfabric_vc_utilization:avg10m"):
        until(functools.partial(scraped.prometheus.query, name), f"{name} exists")
    # Directions of a port, and ends of a circuit, are the only labels with several values.
    ports = "count by (account, port_circuit_id, direction) (port:packetfabric_port_utilization:avg10m)"
    assert {item["value"][1] for item in scraped.prometheus.query(ports)} == {"1"}
    assert scraped.rule_errors() == {}


def test_identical_instances(start_scraping: Callable[[Any], Scraped]) -> None:
    """If instance is the name of the Service, the rules work as well, because they fold pods too."""
    relabelings = [
        {"targetLabel": "job", "replacement": "packetfabric"},
        {"sourceLabels": [f"{META}service_name"], "targetLabel": "instance"},
    ]
    scraped = start_scraping(relabelings)
    until(lambda: scraped.has_both("packetfabric_port_info", "pod"), "both are scraped")
    until(lambda: scraped.prometheus.query(JOINED), f"{JOINED} exists")
    assert scraped.rule_errors() == {}
