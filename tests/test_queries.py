"""The expressions in docs/queries.md, asked of a real Prometheus that scrapes an exporter."""

from __future__ import annotations

import re
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from pf_exporter.config.accounts import Account, StreamFilter
from pf_exporter.config.secrets import Secret
from pf_exporter.config.settings import Config, InventorySettings, WebSettings
from pf_exporter.service.exporter import Exporter
from pf_exporter.simulator import Network, Options, Simulator
from pf_exporter.simulator.traffic import START, Outage
from tests.conftest import get, tool, until
from tests.prometheus_server import CONFIG, Prometheus, wait_for

PAGE = (Path(__file__).parents[1] / "docs" / "queries.md").read_text(encoding="utf-8")
QUERIES = re.findall(r"^```promql\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)


DOWN = "PF-AP-LAX1-2000002"


def take_down(network: Network) -> None:
    """Let one port be down from a minute ago on, and no other port at any time."""
    uptime = time.time() - 60 - START
    for port in network.ports:
        port.reboots = None
        port.flaps = Outage(period=100 * uptime, down=99 * uptime) if port.circuit_id == DOWN else None


@pytest.fixture(scope="module")
def site() -> Iterator[str]:
    """HOST:PORT of an exporter that has everything the page asks for, while a port is down."""
    options = Options(listen_address="127.0.0.1:0", interval=0.5)
    with Simulator(options) as simulator:
        take_down(simulator.network)
        first, *others = simulator.network.ports
        first.description += " [team=backbone]"
        # Of the last port nothing is subscribed.
        streamed = tuple(port.circuit_id for port in (first, *others[:-1]))
        account = Account(
            api_url=simulator.url,
            token=Secret(simulator.api_key),
            streams=(StreamFilter("port", (), streamed), StreamFilter("vc")),
        )
        inventory = InventorySettings(60.0, description_tags=("team",), cloud_router_connections=True)
        web = WebSettings(listen_address=("127.0.0.1:0",))
        with Exporter(Config(accounts=(account,), inventory=inventory, web=web)) as exporter:
            yield exporter.server.addresses[0]


@pytest.fixture(scope="module")
def prometheus(site: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Prometheus]:
    server = Prometheus(tmp_path_factory.mktemp("prometheus"), CONFIG.format(target=site))
    yield server
    server.stop()


@pytest.mark.parametrize("query", QUERIES, ids=lambda query: " ".join(query.split())[:60])
def test_an_expression_has_an_answer(prometheus: Prometheus, query: str) -> None:
    """Prometheus understands the expression, and its result is not empty."""
    until(lambda: prometheus.query(query), query)


def test_utilization_is_a_share(prometheus: Prometheus) -> None:
    """Utilization lies between 0 and 1 for every port and LAG, and is labelled with names."""
    shares = [query for query in QUERIES if "/ on (account, port_circuit_id)" in query]
    assert len(shares) == 2
    for query in shares:
        wait_for(prometheus, query, where=lambda share: 0 <= share <= 1.01)
    names = {(one["metric"]["description"], one["metric"]["pop"]) for one in prometheus.query(shares[0])}
    assert ("Los Angeles core uplink [team=backbone]", "LAX1") in names


def test_what_is_down_is_found(prometheus: Prometheus) -> None:
    """The port that flaps is the one that is down, and the circuits on it are the ones not connected."""
    down = "packetfabric_port_operational_up == 0"
    until(lambda: prometheus.query(down), down)
    assert [one["metric"]["port_circuit_id"] for one in prometheus.query(down)] == [DOWN]


def test_every_metric_named_exists(site: str) -> None:
    """Each metric in the page is one that the exporter serves."""
    served = set(re.findall(r"^# TYPE (\S+)", get(f"http://{site}/metrics")[2].decode(), re.MULTILINE))
    assert len(QUERIES) > 10
    assert set(re.findall(r"\bpacketfabric_[a-z_]+", PAGE)) <= served


def test_promtool_has_nothing_to_say(site: str) -> None:
    """With rates of cloud router connections on the page too, Debian's promtool finds no fault in it."""
    url = f"http://{site}/metrics"
    until(
        lambda: b"\npacketfabric_cloud_router_connection_transmit_packets_per_second{" in get(url)[2], "rates"
    )
    done = subprocess.run(
        [tool("promtool"), "check", "metrics"],
        input=get(url)[2],
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")
