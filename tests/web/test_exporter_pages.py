"""The pages over HTTP, and /metrics as the tools that read it see it."""

from __future__ import annotations

import gzip
import subprocess
from collections.abc import Callable, Iterator
from urllib.error import HTTPError
from urllib.request import Request, urlopen

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
    with Simulator(options) as one:
        yield one


def config(simulator: Simulator, name: str = "default") -> Config:
    account = Account(name=name, api_url=simulator.url, token=Secret(simulator.api_key))
    return Config(accounts=(account,), web=WebSettings(listen_address=("127.0.0.1:0",)))


@pytest.fixture(scope="module")
def site(simulator: Simulator) -> Iterator[str]:
    """The URL of an exporter that has seen every kind of event."""
    with Exporter(config(simulator)) as exporter:
        url = f"http://{exporter.server.addresses[0]}"
        events = exporter.pipelines[0].stats.last_event
        until(lambda: sum("|" in name for name in list(events)) >= 5, "five kinds of events")
        yield url


def test_index_leads_to_the_metrics(site: str) -> None:
    """The page at / links to what there is."""
    status, headers, body = get(site + "/")
    assert status == 200
    assert headers["content-type"].startswith("text/html")
    assert b'href="/metrics"' in body


def test_health(site: str) -> None:
    """/-/healthy answers GET and HEAD."""
    assert get(site + "/-/healthy")[::2] == (200, b"Healthy.\n")
    assert get(site + "/-/healthy", method="HEAD")[::2] == (200, b"")


@pytest.mark.parametrize("path", ["/metric", "/metrics/x", "/-/", "/favicon.ico", "/%2e%2e/etc/passwd"])
def test_any_other_path_is_404(site: str, path: str) -> None:
    """Only the pages there are answer: metrics are not served on every path."""
    with pytest.raises(HTTPError) as caught:
        get(site + path)
    with caught.value:
        assert caught.value.code == 404


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS"])
def test_any_other_method_is_405(site: str, method: str) -> None:
    """Nothing can be changed through the pages."""
    with pytest.raises(HTTPError) as caught:
        get(site + "/metrics", method=method)
    with caught.value:
        assert caught.value.code == 405


def test_text_format(site: str) -> None:
    """Without an Accept header: Prometheus' text format, as its own parser reads it."""
    status, headers, body = get(site + "/metrics")
    assert status == 200
    assert headers["content-type"].startswith("text/plain; version=")
    families = list(parse_text(body.decode()))
    assert len(families) > 80


def test_openmetrics_format(site: str) -> None:
    """For who accepts OpenMetrics, that: the strict parser takes it, and units are told."""
    _, headers, body = get(site + "/metrics", OPENMETRICS)
    assert headers["content-type"].startswith("application/openmetrics-text; version=1.0.0")
    assert body.endswith(b"# EOF\n")
    families = {family.name: family for family in parse_openmetrics(body.decode())}
    assert families["packetfabric_port_receive_bytes"].unit == "bytes"
    assert families["packetfabric_port_receive_bytes"].type == "counter"


def test_gzip(site: str) -> None:
    """Compressed for who accepts it, plain for who does not."""
    with urlopen(Request(site + "/metrics", headers={"Accept-Encoding": "gzip"}), timeout=10) as answer:
        assert answer.headers["Content-Encoding"] == "gzip"
        assert b"packetfabric_up" in gzip.decompress(answer.read())
    assert "content-encoding" not in get(site + "/metrics")[1]


def test_promtool_has_nothing_to_say(site: str) -> None:
    """Debian's promtool finds no fault in any name, help, type or unit."""
    body = get(site + "/metrics")[2]
    done = subprocess.run(
        [tool("promtool"), "check", "metrics"], input=body, capture_output=True, timeout=60, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")


def test_no_sample_is_there_twice(site: str) -> None:
    """No name with the same labels has two values; Prometheus would drop one and warn."""
    samples = [line.rsplit(" ", 1)[0] for line in get(site + "/metrics")[2].decode().splitlines()]
    samples = [sample for sample in samples if not sample.startswith("#")]
    assert len(samples) == len(set(samples)) > 500


def test_nothing_is_nan(site: str) -> None:
    """What is not known is absent: no value is NaN or infinite, even while garbage is streamed."""
    values = {line.rsplit(" ", 1)[1] for line in get(site + "/metrics")[2].decode().splitlines()}
    assert not values & {"NaN", "+Inf", "-Inf"}


def test_truth_before_the_first_login() -> None:
    """With nobody at the other end the pages are up, every family is there, and packetfabric_up is 0."""
    account = Account(api_url="http://127.0.0.1:9", token=Secret("x"))
    settings = Config(accounts=(account,), web=WebSettings(listen_address=("127.0.0.1:0",)))
    with Exporter(settings) as exporter:
        page = get(f"http://{exporter.server.addresses[0]}/metrics")[2].decode()
    assert 'packetfabric_up{account="default"} 0.0' in page
    assert 'packetfabric_stream_events_total{account="default",event="port|metrics"} 0.0' in page
    for family in parse_text(page):
        assert family.documentation, family.name


def test_several_accounts_share_one_page(simulator: Simulator) -> None:
    """Each account streams for itself; the label tells whose a series is."""
    one, two = config(simulator, "one"), config(simulator, "two")
    both = Config(accounts=(*one.accounts, *two.accounts), web=one.web)
    with Exporter(both) as exporter:
        url = f"http://{exporter.server.addresses[0]}/metrics"
        wanted = [f'packetfabric_up{{account="{name}"}} 1.0'.encode() for name in ("one", "two")]
        until(lambda: all(text in get(url)[2] for text in wanted), "both accounts up")


def test_the_limit_of_series_is_kept(simulator: Simulator) -> None:
    """Above series.limit new circuits are refused and counted, and those that are there go on."""
    settings = config(simulator)
    small = Config(accounts=settings.accounts, web=settings.web, series=SeriesSettings(limit=100))
    with Exporter(small) as exporter:
        stats = exporter.pipelines[0].stats
        until(lambda: stats.series_dropped, "a refused circuit")
        assert 0 < exporter.store.series()["default"] <= 100


def test_a_thread_that_dies_takes_the_process_along(
    simulator: Simulator, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """A bug in the reader's thread is reported to whoever runs the exporter, and health says so."""
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
