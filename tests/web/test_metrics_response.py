"""The response with the metrics page: negotiation, shared renderings, slow clients."""

from __future__ import annotations

import gzip
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPConnection, IncompleteRead

import pytest

from pf_exporter.metrics.exposition import Format
from pf_exporter.server.server import Server
from pf_exporter.web.app import MetricsPage, create_app
from tests.conftest import until


class SlowPage:
    """A page whose rendering a test can hold up, and which counts its renderings."""

    def __init__(self, body: bytes = b"x 1\n") -> None:
        self.body = body
        self.started = 0
        self.running = 0
        self.most_running = 0
        self.released = threading.Event()
        self.released.set()

    def plain(self, format: Format) -> bytes:
        self.started += 1
        self.running += 1
        self.most_running = max(self.running, self.most_running)
        self.released.wait(10)
        self.running -= 1
        return b"%d " % self.started + self.body

    def gzip(self, format: Format) -> bytes:
        return gzip.compress(self.plain(format))


@pytest.fixture
def serve_page() -> Iterator[Callable[[MetricsPage], str]]:
    """Serve a page; return host and port."""
    servers: list[Server] = []

    def start(page: MetricsPage) -> str:
        app = create_app(page, telemetry_path="/metrics", healthy=lambda: True)
        servers.append(Server(app, ["127.0.0.1:0"], name="web"))
        servers[-1].start()
        return servers[-1].addresses[0]

    yield start
    for server in servers:
        server.stop()


def scrape(host: str, *, method: str = "GET", **headers: str) -> tuple[dict[str, str], bytes]:
    connection = HTTPConnection(host, timeout=20)
    try:
        connection.request(method, "/metrics", headers={k.replace("_", "-"): v for k, v in headers.items()})
        response = connection.getresponse()
        assert response.status == 200
        return {key.lower(): value for key, value in response.getheaders()}, response.read()
    finally:
        connection.close()


@pytest.mark.parametrize(
    ("accept", "expected"),
    [
        (None, None),
        ("gzip", "gzip"),
        ("deflate, GZIP;q=1.0, *;q=0.5", "gzip"),
        ("gzip;q=0", None),
        ("gzip; q=0.000, identity", None),
        ("identity, gzip;q=0.5", None),
        ("gzip;q=high", None),
        ("br, *", None),
        ("", None),
    ],
)
def test_compression_is_negotiated(
    serve_page: Callable[[MetricsPage], str], accept: str | None, expected: str | None
) -> None:
    """The response is compressed if the client accepts gzip, and Vary names what it depends on."""
    headers, body = scrape(serve_page(SlowPage()), **({} if accept is None else {"Accept_Encoding": accept}))
    assert headers.get("content-encoding") == expected
    assert headers["vary"] == "Accept, Accept-Encoding"
    assert headers["content-length"] == str(len(body))
    assert (gzip.decompress(body) if expected else body) == b"1 x 1\n"


@pytest.mark.parametrize(
    ("accept", "expected"),
    [
        ("", Format.TEXT),
        ("*/*", Format.TEXT),
        ("text/html", Format.TEXT),
        ("text/plain;version=0.0.4", Format.TEXT),
        ("text/plain; version=1.0.0", Format.TEXT_1),
        ("application/openmetrics-text", Format.OPENMETRICS),
        ("application/openmetrics-text;version=0.0.1, text/plain;version=0.0.4;q=0.5", Format.TEXT),
        ("application/openmetrics-text;version=9.x;q", Format.TEXT),
        ("text/plain;q=0.4, application/openmetrics-text;version=1.0.0;q=0.6", Format.OPENMETRICS),
        # Prometheus 2.42 and 3.5.
        (
            "application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,"
            "text/plain;version=0.0.4;q=0.5,*/*;q=0.1",
            Format.OPENMETRICS,
        ),
        (
            "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,"
            "application/openmetrics-text;version=0.0.1;q=0.5,text/plain;version=1.0.0;escaping=allow-utf-8"
            ";q=0.4,text/plain;version=0.0.4;q=0.3,*/*;q=0.2",
            Format.OPENMETRICS,
        ),
    ],
)
def test_format_is_negotiated(
    serve_page: Callable[[MetricsPage], str], accept: str, expected: Format
) -> None:
    """The client gets the supported format it prefers, and a format in any case."""
    assert scrape(serve_page(SlowPage()), Accept=accept)[0]["content-type"] == expected.value


def test_head_has_the_size(serve_page: Callable[[MetricsPage], str]) -> None:
    """HEAD has the headers of GET and no body."""
    headers, body = scrape(serve_page(SlowPage(b"x" * 10**6)), method="HEAD")
    assert (headers["content-length"], body) == (str(10**6 + 2), b"")


def test_scrapes_share_renderings(serve_page: Callable[[MetricsPage], str]) -> None:
    """Twenty concurrent scrapes share a rendering; a later scrape gets a new one."""
    page = SlowPage()
    page.released.clear()
    host = serve_page(page)
    with ThreadPoolExecutor(20) as pool:
        scrapes = [pool.submit(scrape, host) for _ in range(20)]
        until(lambda: page.started, "the first rendering")
        threading.Event().wait(0.5)
        page.released.set()
        bodies = [scrape.result()[1] for scrape in scrapes]
    # A scrape that was slow to connect may be too late to share.
    assert bodies.count(b"1 x 1\n") >= 18
    started = page.started
    assert started <= 3
    assert scrape(host)[1] == b"%d x 1\n" % (started + 1)
    assert page.most_running == 1


def test_a_client_that_does_not_read_is_dropped(
    serve_page: Callable[[MetricsPage], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A client that never reads its response is dropped; other clients are served meanwhile."""
    monkeypatch.setattr("pf_exporter.web.app.CHUNK_TIMEOUT", 0.2)
    page = SlowPage(b"x" * 50_000_000)
    host = serve_page(page)
    stalled = HTTPConnection(host, timeout=20)
    stalled.request("GET", "/metrics")
    assert len(scrape(host)[1]) > 50_000_000
    threading.Event().wait(0.5)
    with stalled.getresponse() as response, pytest.raises(IncompleteRead):
        response.read()
    stalled.close()
