"""A second replica in Kubernetes is one that Prometheus, and each Deployment, tells from the first."""

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
from tests.deploy.test_kubernetes import FOLDER, KUSTOMIZATION, Manifest, built, label, only
from tests.prometheus_server import Prometheus
from tests.rules.promql import PROMETHEUS


@pytest.fixture(scope="module")
def replicas(tmp_path_factory: pytest.TempPathFactory) -> list[Manifest]:
    """What is built once the page's line for a second replica was run, and its file is named."""
    folder = tmp_path_factory.mktemp("replicas") / "kubernetes"
    shutil.copytree(FOLDER, folder)
    (line,) = (line for block in blocks("sh") for line in block.splitlines() if line.startswith("sed "))
    subprocess.run(line, shell=True, cwd=folder, check=True, timeout=60)
    named = KUSTOMIZATION | {"resources": [*KUSTOMIZATION["resources"], "deployment-b.yaml"]}
    (folder / "kustomization.yaml").write_text(yaml.safe_dump(named))
    return built(folder)


def test_a_second_replica(replicas: list[Manifest]) -> None:
    """It has a name, a label and a Secret of its own, and neither Deployment selects the other's pod."""
    one, other = (each for each in replicas if each["kind"] == "Deployment")
    assert label(one) != label(other)
    labels = [each["spec"]["template"]["metadata"]["labels"] for each in (one, other)]
    for each, own, foreign in ((one, *labels), (other, *reversed(labels))):
        selected = each["spec"]["selector"]["matchLabels"].items()
        assert selected <= own.items()
        assert not selected <= foreign.items()
        assert only("Service")["spec"]["selector"].items() <= own.items()
        assert only("NetworkPolicy")["spec"]["podSelector"]["matchLabels"].items() <= own.items()
    secrets = [
        each["spec"]["template"]["spec"]["volumes"][0]["secret"]["secretName"] for each in (one, other)
    ]
    assert len(set(secrets)) == 2
    (command,) = (
        line for block in blocks("sh") for line in block.splitlines() if f"generic {secrets[1]} " in line
    )
    assert "--from-file=token=" in command


META = "__meta_kubernetes_"


class Scraped:
    """Two exporters of one account, scraped and judged by the rules as the monitor has it."""

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
            {re.sub("[A-Z]", lambda found: f"_{found[0].lower()}", key): value for key, value in one.items()}
            # The operator sets the pod by itself.
            for one in ({"sourceLabels": [f"{META}pod_name"], "targetLabel": "pod"}, *relabelings)
        ]
        (folder / "rules.yml").write_bytes((PROMETHEUS / "rules.yml").read_bytes())
        config = {
            "global": {"scrape_interval": "1s", "evaluation_interval": "1s"},
            "rule_files": ["rules.yml"],
            "scrape_configs": [{"job_name": "x", "static_configs": targets, "relabel_configs": relabel}],
        }
        self.prometheus = Prometheus(folder, yaml.safe_dump(config))

    def faults(self) -> dict[str, str]:
        """By the name of a rule why it could not be evaluated when it last was."""
        with urlopen(f"{self.prometheus.url}/api/v1/rules", timeout=10) as page:
            groups = json.load(page)["data"]["groups"]
        return {
            one["name"]: one["lastError"] for group in groups for one in group["rules"] if "lastError" in one
        }

    def both(self, name: str, by: str) -> bool:
        """Whether the series of a name have two values of a label."""
        return len(self.prometheus.query(f"count by ({by}) ({name})")) == 2


@pytest.fixture(scope="module")
def scrape(
    replicas: list[Manifest], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Callable[[Any], Scraped]]:
    """Starts a Prometheus with the relabelings it is given, on two exporters that go on."""
    exporters = [Program("demo", "--listen-address=127.0.0.1:0", "--interval=1s") for _ in range(2)]
    found = [re.search(r"addresses=(\S+)", one.wait_for("msg=listening")) for one in exporters]
    addresses = [one[1] for one in found if one is not None]
    pods = [one["spec"]["template"] for one in replicas if one["kind"] == "Deployment"]
    started: list[Scraped] = []

    def start(relabelings: Any) -> Scraped:
        started.append(Scraped(tmp_path_factory.mktemp("scraped"), addresses, pods, relabelings))
        return started[-1]

    yield start
    for one in started:
        one.prometheus.stop()
    for exporter in exporters:
        exporter.process.kill()
        exporter.end()
        assert exporter.process.stdout is not None
        exporter.process.stdout.close()


JOINED = "port:packetfabric_capacity:bytes_per_second"
"""A rule that joins, and so fails where two replicas look alike."""


def test_prometheus_tells_replicas_apart(scrape: Callable[[Any], Scraped]) -> None:
    """Two replicas have two values of instance, and every recording rule works for both."""
    (endpoint,) = only("ServiceMonitor")["spec"]["endpoints"]
    scraped = scrape(endpoint["relabelings"])
    for name in (JOINED, "port:packetfabric_utilisation:avg10m", "vc:packetfabric_utilisation:avg10m"):
        until(functools.partial(scraped.both, name, "instance"), f"{name} is there of both", seconds=60)
    seen = {one["metric"]["instance"] for one in scraped.prometheus.query(JOINED)}
    assert seen == {"packetfabric/pf-exporter", "packetfabric/pf-exporter-b"}
    assert scraped.faults() == {}


def test_replicas_that_look_alike_are_found(scrape: Callable[[Any], Scraped]) -> None:
    """With the Service for an instance the same rules fail, so that the silence above says something."""
    alike = [
        {"targetLabel": "job", "replacement": "packetfabric"},
        {"sourceLabels": [f"{META}service_name"], "targetLabel": "instance"},
    ]
    scraped = scrape(alike)
    until(lambda: scraped.both("packetfabric_port_info", "pod"), "both are scraped", seconds=60)
    until(lambda: "duplicate series" in scraped.faults().get(JOINED, ""), "the rule fails", seconds=60)
