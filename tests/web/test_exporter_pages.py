"""The pages of a whole exporter over HTTP, and /metrics as parsers and promtool read it."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator
from urllib.error import HTTPError

import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse_openmetrics
from prometheus_client.parser import text_string_to_metric_families as parse_text

from pf_exporter.config.accounts import Account
from pf_exporter.config.secrets import Secret
from pf_exporter.config.settings import Config, SeriesSettings, WebSettings
from pf_exporter.service.exporter import Exporter
from pf_exporter.simulator import Options, Simulator
from tests.conftest import get, tool, until

OPENMETRICS = "application/openmetrics-text; version=1.0.0"


@pytest.fixture(scope="module")
def simulator() -> Iterator[Simulator]:
    options = Options(listen_address="127.0.0.1:0", interval=0.1, faults=("stream-garbage",))
    with Simulator(options) as running:
        yield running


def config(simulator: Simulator, name: str = "default") -> Config:
    account = Account(name=name, api_url=simulator.url, token=Secret(simulator.api_key))
    return Config(accounts=(account,), web=WebSettings(listen_address=("127.0.0.1:0",)))


@pytest.fixture(scope="module")
def url(simulator: Simulator) -> Iterator[str]:
    """The URL of an exporter that has processed every kind of event."""
    with Exporter(config(simulator)) as exporter:
        events = exporter.pipelines[0].stats.last_event
        until(lambda: len(list(events)) >= 5 and "port|metrics" in events, "five kinds of events")
        yield f"http://{exporter.server.addresses[0]}"


def test_health(url: str) -> None:
    """/-/healthy answers GET and HEAD."""
    assert get(url + "/-/healthy")[::2] == (200, b"Healthy.\n")
    assert get(url + "/-/healthy", method="HEAD")[::2] == (200, b"")


@pytest.mark.parametrize("path", ["/metric", "/metrics/x", "/-/", "/favicon.ico", "/%2e%2e/etc/passwd"])
def test_other_paths_are_404(url: str, path: str) -> None:
    """Metrics are served on their path only."""
    with pytest.raises(HTTPError) as caught:
        get(url + path)
    with caught.value:
        assert caught.value.code == 404
        assert caught.value.read() == b"Not Found; / links to the pages.\n"


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS"])
def test_other_methods_are_405(url: str, method: str) -> None:
    """The metrics page answers GET and HEAD only."""
    with pytest.raises(HTTPError) as caught:
        get(url + "/metrics", method=method)
    with caught.value:
        assert caught.value.code == 405
        assert caught.value.headers["allow"] in ("GET, HEAD", "HEAD, GET")
        assert caught.value.read() == b"Method Not Allowed; use GET or HEAD.\n"


def test_text_format(url: str) -> None:
    """Without an Accept header the page is in the text format, and Prometheus' parser reads it."""
    status, headers, body = get(url + "/metrics")
    assert status == 200
    assert headers["content-type"].startswith("text/plain; version=")
    families = list(parse_text(body.decode()))
    assert len(families) > 80


def test_openmetrics_format(url: str) -> None:
    """A client that accepts OpenMetrics gets it, with units, and the strict parser reads it."""
    _, headers, body = get(url + "/metrics", OPENMETRICS)
    assert headers["content-type"].startswith("application/openmetrics-text; version=1.0.0")
    assert body.endswith(b"# EOF\n")
    families = {family.name: family for family in parse_openmetrics(body.decode())}
    assert families["packetfabric_port_receive_bytes"].unit == "bytes"
    assert families["packetfabric_port_receive_bytes"].type == "counter"


def test_promtool_check_metrics(url: str) -> None:
    """Debian's promtool finds no problem in any name, help, type or unit."""
    body = get(url + "/metrics")[2]
    done = subprocess.run(
        [tool("promtool"), "check", "metrics"], input=body, capture_output=True, timeout=60, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")


def test_samples_are_unique(url: str) -> None:
    """No series has two samples: Prometheus would drop one and warn."""
    samples = [line.rsplit(" ", 1)[0] for line in get(url + "/metrics")[2].decode().splitlines()]
    samples = [sample for sample in samples if not sample.startswith("#")]
    assert len(samples) == len(set(samples)) > 500


def test_values_are_finite(url: str) -> None:
    """Unknown values are absent: none is NaN or infinite, even while the stream contains garbage."""
    values = {line.rsplit(" ", 1)[1] for line in get(url + "/metrics")[2].decode().splitlines()}
    assert not values & {"NaN", "+Inf", "-Inf"}


def test_metrics_before_the_first_login() -> None:
    """While the API is unreachable the page has every family, and packetfabric_up is 0."""
    account = Account(api_url="http://127.0.0.1:9", token=Secret("x"))
    settings = Config(accounts=(account,), web=WebSettings(listen_address=("127.0.0.1:0",)))
    with Exporter(settings) as exporter:
        page = get(f"http://{exporter.server.addresses[0]}/metrics")[2].decode()
    assert 'packetfabric_up{account="default"} 0.0' in page
    assert 'packetfabric_stream_events_total{account="default",event="port|metrics"} 0.0' in page
    for family in parse_text(page):
        assert family.documentation, family.name


def test_several_accounts_share_one_page(simulator: Simulator) -> None:
    """Each account has its own stream; the label ``account`` distinguishes their series."""
    first, second = config(simulator, "one"), config(simulator, "two")
    both = Config(accounts=(*first.accounts, *second.accounts), web=first.web)
    with Exporter(both) as exporter:
        url = f"http://{exporter.server.addresses[0]}/metrics"
        wanted = [f'packetfabric_up{{account="{name}"}} 1.0'.encode() for name in ("one", "two")]
        until(lambda: all(text in get(url)[2] for text in wanted), "both accounts up")


def test_series_limit(simulator: Simulator) -> None:
    """Above series.limit new circuits are refused and counted, and existing ones are updated."""
    settings = config(simulator)
    small = Config(accounts=settings.accounts, web=settings.web, series=SeriesSettings(limit=100))
    with Exporter(small) as exporter:
        stats = exporter.pipelines[0].stats
        until(lambda: stats.series_dropped, "a refused circuit")
        assert 0 < exporter.store.series()["default"] <= 100


def test_a_thread_that_dies_ends_the_process(
    simulator: Simulator, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """An exception in the reader's thread calls ``on_failure``, and the health page fails."""
    deaths: list[str] = []

    def bug(*_: object) -> None:
        raise RuntimeError("a bug")

    ended: Callable[[], None] = lambda: deaths.append("ended")  # noqa: E731
    monkeypatch.setattr("pf_exporter.stream.processor.EventProcessor.process", bug)
    with Exporter(config(simulator), on_failure=ended) as exporter:
        until(lambda: deaths, "the death of the reader")
        assert exporter.failed
        with pytest.raises(HTTPError) as caught:
            get(f"http://{exporter.server.addresses[0]}/-/healthy")
        with caught.value:
            assert caught.value.code == 503
        page = get(f"http://{exporter.server.addresses[0]}/metrics")[2]
        assert b'packetfabric_stream_state{account="default",state="stopped"} 1.0' in page
