"""Readings from streams and from a page of metrics."""

from __future__ import annotations

import dataclasses
import gzip
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.responses import PlainTextResponse, RedirectResponse, Response

from pf_exporter.config.secrets import SecretFile
from pf_exporter.config.settings import Config, WebSettings
from pf_exporter.errors import ApiError, ConfigError
from pf_exporter.reason import Reason
from pf_exporter.scrape.target import ScrapeTarget
from pf_exporter.service.exporter import Exporter
from pf_exporter.top import circuit as circuits
from pf_exporter.top.circuit import Circuit, Kind, Reading
from pf_exporter.top.scrape_source import ScrapeSource
from pf_exporter.top.stream_source import StreamSource
from tests.conftest import until
from tests.fakes import Answer, Fake, dead_url, event
from tests.server.authority import Authority
from tests.server.conftest import Serve, authority, hashed, serve

__all__ = ["authority", "serve"]

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


def scraped(url: str, **target: object) -> Reading:
    """One reading of a page."""
    source = ScrapeSource(
        dataclasses.replace(ScrapeTarget(url), **target),  # type: ignore[arg-type]
        60.0,
        on_failure=lambda exc: None,
    )
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


def refused(url: str, **target: object) -> str:
    """The line for a page that cannot be scraped."""
    with pytest.raises((ApiError, ConfigError)) as caught:
        scraped(url, **target)
    return str(caught.value)


@pytest.mark.parametrize(
    ("app", "line"),
    [
        (PlainTextResponse("no", status_code=404), "HTTP 404: not the page of metrics; check the URL"),
        (PlainTextResponse("no", status_code=503), "HTTP 503: the exporter cannot answer now"),
        (PlainTextResponse("no", status_code=403), "HTTP 403: access is refused"),
        (RedirectResponse("/elsewhere"), "HTTP 307: not the page of metrics; check the URL"),
        (PlainTextResponse("up 1\n"), "no metrics of pf_exporter; check the URL"),
        (PlainTextResponse("packetfabric_up{a\n"), "not a page of metrics: "),
        (Response(b"\xff"), "the page is not UTF-8 text"),
        (Response(b"x", headers={"Content-Encoding": "gzip"}), "damaged gzip data"),
    ],
)
def test_pages_that_are_none(serve: Serve, app: Response, line: str) -> None:
    """A page that cannot be used is one line: where, what, what to do."""
    url = f"http://{serve(app=app).address}/metrics"
    assert refused(url).startswith(f"{url}: {line}")


def test_an_exporter_that_does_not_run() -> None:
    """A refused connection is one line."""
    url = dead_url()
    assert refused(url) == f"{url}/metrics: Connection refused; is the exporter running?"


def test_compressed_and_openmetrics_pages(serve: Serve) -> None:
    """A compressed page and one in the OpenMetrics format are read."""
    zipped = Response(gzip.compress(PAGE.encode()), headers={"Content-Encoding": "gzip"})
    assert len(scraped(f"http://{serve(app=zipped).address}").circuits) == 1
    page = Response(f"{PAGE}# EOF\n", media_type="application/openmetrics-text; version=1.0.0")
    assert len(scraped(f"http://{serve(app=page).address}").circuits) == 1


def test_tls_and_user(serve: Serve, authority: Authority, tmp_path: Path) -> None:
    """With the CA, the user and the password file the page is read; each wrong one is one line."""
    authority.sign("server", "127.0.0.1")
    tls = "tls_server_config: {cert_file: server.pem, key_file: server.key}"
    site = serve(f"{tls}\nbasic_auth_users: {{ada: '{hashed('secret')}'}}\n", app=PlainTextResponse(PAGE))
    url = f"https://{site.address}/metrics"
    file = tmp_path / "password"
    file.write_text("secret\n")
    password, ca_file = SecretFile(str(file), "--password-file"), str(authority.path)
    good = {"user": "ada", "password": password, "ca_file": ca_file}
    assert len(scraped(url, **good).circuits) == 1
    assert refused(url, ca_file=ca_file).endswith("HTTP 401: it requires --user and --password-file")
    assert "the certificate is not trusted" in refused(url)
    assert refused(url.replace("https", "http")).endswith(
        "the server closed the connection; does it require https, or a client certificate?"
    )
    file.write_text("wrong\n")
    assert refused(url, **good).endswith("HTTP 401: check --user and --password-file")
    file.unlink()
    assert refused(url, **good).startswith("--password-file: the file cannot be read")
    assert refused(url, ca_file=str(tmp_path / "web.yml")).endswith(
        "web.yml: it contains no certificate (PEM)"
    )
    assert refused(url, ca_file=str(tmp_path / "none")).endswith("none: No such file or directory")


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


@pytest.mark.parametrize(
    ("target", "problems"),
    [
        (ScrapeTarget("http://127.0.0.1:10054/metrics"), []),
        (ScrapeTarget("127.0.0.1:10054"), ["--from: expected a URL, such as http://127.0.0.1:10054/metrics"]),
        (ScrapeTarget("http://[::1"), ["--from: expected a URL, such as http://127.0.0.1:10054/metrics"]),
        (ScrapeTarget("http://h:99999"), ["--from: expected a URL, such as http://127.0.0.1:10054/metrics"]),
        (
            ScrapeTarget("http://ada:secret@h"),
            ["--from: give the user with --user and the password with --password-file"],
        ),
        (
            ScrapeTarget("http://h", user="ada", ca_file="ca.pem"),
            ["--user: needs --password-file, and the reverse", "--ca-file: needs an https URL"],
        ),
    ],
)
def test_targets(target: ScrapeTarget, problems: list[str]) -> None:
    """All problems are reported at once; a password in a URL is never repeated."""
    assert target.problems() == problems


@pytest.mark.parametrize(
    ("url", "page"),
    [
        ("http://h:1", "http://h:1/metrics"),
        ("https://h/", "https://h/metrics"),
        ("http://[::1]:2/prometheus", "http://[::1]:2/prometheus"),
        ("http://h/metrics?x=1#y", "http://h/metrics"),
    ],
)
def test_addresses(url: str, page: str) -> None:
    """The path is /metrics by default."""
    assert ScrapeTarget(url).page == page


@pytest.mark.parametrize("url", ["https://h", "HTTPS://h"])
def test_https_is_encrypted(url: str) -> None:
    """The scheme may have capitals: the password is not sent in clear text."""
    assert ScrapeTarget(url).context() is not None
