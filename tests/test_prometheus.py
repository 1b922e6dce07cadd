"""A real Prometheus scrapes the demo and answers queries about it."""

from __future__ import annotations

import contextlib
import itertools
import json
import re
from collections.abc import Iterator
from pathlib import Path
from urllib.request import urlopen

import pytest

from tests.conftest import Program, until
from tests.prometheus_server import CONFIG, Prometheus, wait_for

ROOT = Path(__file__).parents[1]


@contextlib.contextmanager
def running_demo(*flags: str) -> Iterator[str]:
    """Run the exporter on a simulated network, and yield its address."""
    program = Program("demo", "--web.listen-address=127.0.0.1:0", "--interval=1s", *flags)
    address = re.search(r"addresses=(\S+)", program.wait_for("msg=listening"))
    assert address is not None
    yield address[1]
    program.process.kill()
    program.end()
    assert program.process.stdout is not None
    program.process.stdout.close()


@pytest.fixture(scope="module")
def demo() -> Iterator[str]:
    with running_demo() as address:
        yield address


@pytest.fixture(scope="module")
def prometheus(demo: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Prometheus]:
    server = Prometheus(tmp_path_factory.mktemp("prometheus"), CONFIG.format(target=demo))
    yield server
    server.stop()


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
    wait_for(prometheus, "packetfabric_up", where=lambda value: value == 1)
    with urlopen(f"{prometheus.url}/api/v1/targets/metadata", timeout=60) as page:
        metadata = json.load(page)["data"]
    ours = {row["metric"]: row for row in metadata if row["metric"].startswith("packetfabric_")}
    assert len(ours) > 80
    assert all(row["type"] in ("counter", "gauge", "histogram") for row in ours.values())
    # Prometheus scrapes OpenMetrics, where a counter's family has no suffix.
    assert ours["packetfabric_port_receive_bytes"]["type"] == "counter"


def test_every_sample_is_kept(prometheus: Prometheus) -> None:
    """Prometheus keeps every sample of the page: none is a duplicate, out of order or over a limit."""
    wait_for(prometheus, "count_over_time(scrape_samples_scraped[1m])", where=lambda value: value > 3)
    with urlopen(f"{prometheus.url}/metrics", timeout=60) as page:
        dropped = dict(re.findall(r"(?m)^prometheus_target_scrapes_(\w+) (\S+)$", page.read().decode()))
    expected = (
        "sample_duplicate_timestamp_total",
        "sample_out_of_bounds_total",
        "sample_out_of_order_total",
        "exceeded_sample_limit_total",
    )
    assert {name: dropped[name] for name in expected} == dict.fromkeys(expected, "0")


@pytest.fixture
def two_jobs(demo: str, tmp_path: Path) -> Iterator[Prometheus]:
    """A Prometheus with the scrape configuration for parts in docs/web.md, only faster."""
    page = (ROOT / "docs" / "web.md").read_text(encoding="utf-8").partition("## Parts of the metrics")[2]
    config = page.partition("```yaml\n")[2].partition("```")[0]
    for example, ours in (("exporter.example.org:10054", demo), (": 10s", ": 1s"), (": 4m", ": 2s")):
        assert example in config
        config = config.replace(example, ours)
    server = Prometheus(tmp_path, config)
    yield server
    server.stop()


def test_parts_of_the_page_in_two_jobs(two_jobs: Prometheus) -> None:
    """The parts of the two jobs are one set of series, with one job and without the label of the second."""
    parts = '{__name__=~"packetfabric_port_(receive_bytes_total|optical_receive_power_dbm)"}'
    labels = f"count by (job, part) ({parts}) and on () (count(count by (__name__) ({parts})) == 2)"
    wait_for(two_jobs, labels, where=lambda value: value > 12)
    assert [series["metric"] for series in two_jobs.query(labels)] == [{"job": "packetfabric"}]
    up = 'count by (part) (up{job="packetfabric"} == 1)'
    until(lambda: {one["metric"].get("part") for one in two_jobs.query(up)} == {None, "optics"}, up)
    assert two_jobs.query('up{job!="packetfabric"}') == []


@pytest.fixture
def stamped(tmp_path: Path) -> Iterator[Prometheus]:
    """A Prometheus that scrapes an exporter with event timestamps four times per event."""
    with running_demo("--web.event-timestamps") as target:
        server = Prometheus(tmp_path, CONFIG.format(target=target).replace(" 1s", " 250ms"))
        yield server
        server.stop()


def test_event_timestamps(stamped: Prometheus) -> None:
    """Prometheus stores each event once, with its time; a rate over two events is that of the network."""
    traffic = "packetfabric_port_receive_bytes_total"

    def steps() -> set[int]:
        """Return the seconds between any two samples of a series."""
        series = stamped.query(f"{traffic}[6s]")
        times = [[float(time) for time, _ in one["values"]] for one in series]
        return {round(later - time) for one in times for time, later in itertools.pairwise(one)}

    wait_for(stamped, f"count_over_time({traffic}[10s])", where=lambda value: value >= 5)
    until(lambda: steps() == {1}, "each event once")  # on a busy machine scrapes miss some
    busy = "packetfabric_port_receive_bytes_per_second > 1e6"
    wait_for(stamped, f"irate({traffic}[5s]) / ({busy})", where=lambda value: 0.8 < value < 1.2)
    wait_for(stamped, "timestamp(packetfabric_up) - on () timestamp(up)", where=lambda value: value == 0)
