"""Readings from streams and from a page of metrics."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest
from starlette.responses import PlainTextResponse, Response

from pf_exporter.config.settings import Config, WebSettings
from pf_exporter.errors import Rejected
from pf_exporter.reason import Reason
from pf_exporter.scrape.target import ScrapeTarget
from pf_exporter.service.exporter import Exporter
from pf_exporter.top import circuit as circuits
from pf_exporter.top.circuit import Circuit, Kind, Reading
from pf_exporter.top.scrape_source import ScrapeSource
from pf_exporter.top.stream_source import StreamSource
from tests.conftest import until
from tests.fakes import Answer, Fake, event
from tests.server.conftest import Serve, serve

__all__ = ["serve"]

STAMP = {"timestamp": "2021-09-22T20:34:30+00:00"}
PORT = {**STAMP, "port_circuit_id": "PF-AP-LAX1-1"}
VC = "PF-BC-LAX-NYC-7-PF"
LABELS = '{account="acme",port_circuit_id="P"}'
PAGE = f'packetfabric_up{{account="acme"}} 1\npacketfabric_port_receive_bytes_per_second{LABELS} 1\n'


@pytest.fixture
def fake() -> Iterator[Fake]:
    """An API with two ports, one of them down, and one virtual circuit."""
    with Fake() as api:
        api.events += [
            event("port|metrics", {**PORT, "bytes_rx_bps": 5e9, "bytes_tx_bps": 1e9}),
            event("port|errors", {**PORT, "rx_unspecified": 40, "tx_unspecified": 2, "rx_runt": 40}),
            event(
                "port|optical",
                {**PORT, "lane_0_rx_dbm": -3.5, "lane_0_rx_power": 0.45, "lane_1_rx_dbm": -7.0},
            ),
            event(
                "vc|metrics", {**PORT, "vc_circuit_id": "PF-BC-LAX-NYC-7-PF", "vlan": 4, "bytes_rx_bps": 2e8}
            ),
        ]
        state = {"operational_status": "Up", "admin_status": "Up"}
        api.lists["/v2/ports"] = [
            {"port_circuit_id": "PF-AP-LAX1-1-PF", "description": "Los Angeles", "speed": "10Gbps", **state},
            {
                "port_circuit_id": "PF-AP-SEA1-2",
                "description": "Seattle",
                "speed": "1Gbps",
                "operational_status": "Down",
                "admin_status": "Up",
            },
        ]
        api.lists["/v2/services"] = [
            {
                "vc_circuit_id": VC,
                "description": "LAX to NYC",
                "connected": True,
                "rate_limit_in": 1000,
                "rate_limit_out": 1000,
            },
            {"vc_circuit_id": "PF-BC-LAX-SEA-8-PF", "description": "LAX to SEA", "connected": False},
        ]
        yield api


@pytest.fixture
def exporter(fake: Fake) -> Iterator[Exporter]:
    config = Config(accounts=(fake.account(name="acme"),), web=WebSettings(listen_address=("127.0.0.1:0",)))
    with Exporter(config) as running:
        (pipeline,) = running.pipelines
        until(lambda: pipeline.inventory.snapshot.at is not None, "the inventory")
        until(lambda: running.store.rows("vc|metrics")["acme"], "the last event")
        yield running


def scraped(url: str) -> Reading:
    """One reading of a page."""
    source = ScrapeSource(ScrapeTarget(url), 60.0, on_failure=lambda exc: None)
    source.start()
    source.stop()
    return source.read()


def values(reading: Reading) -> list[Circuit]:
    """The circuits without the times of their events, in a fixed order."""
    assert [one for one in reading.circuits if one.receive is not None and one.last_event is None] == []
    return sorted((one._replace(last_event=None) for one in reading.circuits), key=lambda one: one.key)


def test_both_sources_agree(exporter: Exporter) -> None:
    """A stream and a scrape of an exporter give the same circuits, with every value."""
    pipelines = {pipeline.account: pipeline for pipeline in exporter.pipelines}
    streamed = StreamSource(exporter.store, pipelines, polled=True).read()
    page = scraped(f"http://{exporter.server.addresses[0]}")
    assert values(streamed) == values(page)
    assert values(page) == [
        Circuit(
            Kind.PORTS,
            "acme",
            "PF-AP-LAX1-1",
            name="Los Angeles",
            up=1.0,
            enabled=1.0,
            speed=10e9,
            receive=5e9,
            transmit=1e9,
            errors=42.0,
            light=-7.0,
        ),
        Circuit(Kind.PORTS, "acme", "PF-AP-SEA1-2", name="Seattle", up=0.0, enabled=1.0, speed=1e9),
        Circuit(
            Kind.VCS,
            "acme",
            VC,
            "PF-AP-LAX1-1",
            "4",
            "LAX to NYC",
            up=1.0,
            speed=10e9,
            receive_limit=1e9,
            transmit_limit=1e9,
            receive=2e8,
        ),
        Circuit(Kind.VCS, "acme", "PF-BC-LAX-SEA-8-PF", name="LAX to SEA", up=0.0),
    ]
    assert streamed.accounts == page.accounts == {"acme": circuits.STREAMING}
    assert (streamed.problem, page.problem) == ("", "")
    assert streamed.has_inventory


def test_a_stream_that_fails(fake: Fake) -> None:
    """The reading contains the reason why an account has no stream, and what to do about it."""
    fake.script["open"] = [Answer(503) for _ in range(9)]
    config = Config(accounts=(fake.account(name="acme"),), web=WebSettings(listen_address=("127.0.0.1:0",)))
    with Exporter(config) as running:
        (pipeline,) = running.pipelines
        source = StreamSource(running.store, {"acme": pipeline}, polled=True)
        until(lambda: source.read().problem, "the error")
        reading = source.read()
        assert reading.accounts == {"acme": "backoff"}
        assert reading.problem == f"acme: stream: {fake.url.removeprefix('http://')}: HTTP 503"
        assert reading.remedy == Reason.UNAVAILABLE.remedy
    assert source.read().serial > reading.serial


@pytest.mark.parametrize(
    ("page", "line"),
    [
        ("up 1\n", "no metrics of pf_exporter; check the URL"),
        ("packetfabric_up{a\n", "not a page of metrics: "),
    ],
)
def test_pages_that_are_none(serve: Serve, page: str, line: str) -> None:
    """A page that has no metrics of an exporter is refused in one line."""
    url = f"http://{serve(app=PlainTextResponse(page)).address}/metrics"
    with pytest.raises(Rejected) as caught:
        scraped(url)
    assert str(caught.value).startswith(f"{url}: {line}")


def test_openmetrics_pages(serve: Serve) -> None:
    """A page in the OpenMetrics format is read."""
    page = Response(f"{PAGE}# EOF\n", media_type="application/openmetrics-text; version=1.0.0")
    assert len(scraped(f"http://{serve(app=page).address}").circuits) == 1


class Pages:
    """An application that answers with one response after the other; the last one stays."""

    def __init__(self, *responses: Response) -> None:
        self._responses = list(responses)
        self.answered = threading.Event()

    def add(self, response: Response) -> None:
        """Answer with another response after those."""
        self._responses.append(response)

    async def __call__(self, *arguments: object) -> None:
        response = self._responses.pop(0) if len(self._responses) > 1 else self._responses[0]
        await response(*arguments)  # type: ignore[arg-type]
        self.answered.set()


def test_values_stay_while_a_scrape_fails(serve: Serve) -> None:
    """A scrape that fails later keeps the last values and shows the reason, until one succeeds again."""
    down, up = PlainTextResponse("no", status_code=503), PlainTextResponse(PAGE)
    pages = Pages(up, down)
    site = serve(app=pages)
    source = ScrapeSource(ScrapeTarget(f"http://{site.address}"), 0.05, on_failure=lambda exc: None)
    source.start()
    try:
        first = source.read()
        until(lambda: source.read().problem, "the failure")
        failed = source.read()
        assert (failed.circuits, failed.serial) == (first.circuits, first.serial)
        assert failed.problem.endswith("HTTP 503: the exporter cannot answer now")
        pages.add(PlainTextResponse(PAGE.replace("} 1\n", "} 2\n")))
        until(lambda: not source.read().problem, "the next values")
        assert source.read().circuits[0].receive == 16.0
    finally:
        source.stop()


def test_ages_go_by_the_exporters_clock(serve: Serve) -> None:
    """Ages are right although the clocks differ: the page's Date header is the time of its values."""
    page = f"{PAGE}packetfabric_port_last_event_timestamp_seconds{LABELS} 1632342870\n"
    date = {"Date": "Wed, 22 Sep 2021 20:34:35 GMT"}
    reading = scraped(f"http://{serve(app=PlainTextResponse(page, headers=date)).address}")
    assert reading.circuits[0].last_event is not None
    assert reading.at - reading.circuits[0].last_event == 5.0
