"""A real Prometheus scrapes the demo and answers queries about it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from urllib.request import urlopen

import pytest

from tests.conftest import Program
from tests.prometheus_server import CONFIG, Prometheus, wait_for


@pytest.fixture(scope="module")
def prometheus(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Prometheus]:
    demo = Program("demo", "--web.listen-address=127.0.0.1:0", "--interval=1s")
    target = re.search(r"addresses=(\S+)", demo.wait_for("msg=listening"))
    assert target is not None
    server = Prometheus(tmp_path_factory.mktemp("prometheus"), CONFIG.format(target=target[1]))
    yield server
    server.stop()
    demo.process.kill()
    demo.end()
    assert demo.process.stdout is not None
    demo.process.stdout.close()


def test_the_target_is_up(prometheus: Prometheus) -> None:
    """Prometheus accepts the page, and packetfabric_up is 1."""
    wait_for(prometheus, 'up{job="packetfabric"}', where=lambda value: value == 1)
    wait_for(prometheus, "packetfabric_up", where=lambda value: value == 1)


def test_counters_agree_with_rates(prometheus: Prometheus) -> None:
    """PromQL's rate of a port's byte counter equals the rate the API reports, within a fifth."""
    measured = "packetfabric_port_receive_bytes_per_second > 1e6"
    share = f"rate(packetfabric_port_receive_bytes_total[15s]) / ({measured})"
    wait_for(prometheus, share, where=lambda value: 0.8 < value < 1.2)


def test_series_are_typed(prometheus: Prometheus) -> None:
    """Every metric of the exporter has a type in Prometheus."""
    with urlopen(f"{prometheus.url}/api/v1/targets/metadata", timeout=10) as page:
        metadata = json.load(page)["data"]
    ours = {row["metric"]: row for row in metadata if row["metric"].startswith("packetfabric_")}
    assert len(ours) > 80
    assert all(row["type"] in ("counter", "gauge", "histogram") for row in ours.values())
    # Prometheus scrapes OpenMetrics, where a counter's family has no suffix.
    assert ours["packetfabric_port_receive_bytes"]["type"] == "counter"


def test_every_sample_is_kept(prometheus: Prometheus) -> None:
    """Prometheus keeps every sample of the page: none is a duplicate, out of order or over a limit."""
    wait_for(prometheus, "count_over_time(scrape_samples_scraped[1m])", where=lambda value: value > 3)
    with urlopen(f"{prometheus.url}/metrics", timeout=10) as page:
        dropped = dict(re.findall(r"(?m)^prometheus_target_scrapes_(\w+) (\S+)$", page.read().decode()))
    expected = (
        "sample_duplicate_timestamp_total",
        "sample_out_of_bounds_total",
        "sample_out_of_order_total",
        "exceeded_sample_limit_total",
    )
    assert {name: dropped[name] for name in expected} == dict.fromkeys(expected, "0")
