"""The metrics page over HTTP: negotiation, shared renderings, and clients that do not read."""

from __future__ import annotations

import functools
import gzip
import threading
import time
from collections.abc import Collection, Iterator
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPConnection, IncompleteRead

import pytest
from starlette.types import ASGIApp, Receive, Scope, Send

from pf_exporter.metrics.deflate import DeflatedText, compress
from pf_exporter.metrics.exposition import Format
from pf_exporter.metrics.parts import Part, Selection
from pf_exporter.server.server import Server
from pf_exporter.web.app import MetricsPage, create_app
from pf_exporter.web.page_response import OPEN_BYTES, OpenPages
from tests.conftest import until


class SlowMetrics:
    """Metrics that are rendered when ``release`` is set; the page starts with the number of renderings."""

    def __init__(self, body: bytes = b"x 1\n") -> None:
        self.body = body
        self.renderings = 0
        self.active = 0
        self.most_active = 0
        self.selections: list[Selection] = []
        self.times: list[tuple[float, float]] = []
        """By rendering, the time since which lines are new enough, and its begin."""
        self.release = threading.Event()
        self.release.set()

    def accounts(self) -> Collection[str]:
        return ("east", "west")

    def render(self, format: Format, selection: Selection, *, since: float) -> DeflatedText:
        self.times.append((since, time.monotonic()))
        self.renderings += 1
        self.selections.append(selection)
        self.active += 1
        self.most_active = max(self.active, self.most_active)
        self.release.wait(60)
        self.active -= 1
        return DeflatedText([compress([b"%d " % self.renderings, self.body])])


class CountingApp:
    """An application that counts the requests that have reached it, and those it still handles."""

    def __init__(self, page: MetricsPage) -> None:
        self._app: ASGIApp = create_app(page, telemetry_path="/metrics", problem=str)
        self.requests = 0
        self.active = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.requests += 1
        self.active += 1
        try:
            await self._app(scope, receive, send)
        finally:
            self.active -= 1


class MetricsServer:
    """A server of a metrics page."""

    def __init__(self, page: MetricsPage) -> None:
        self.app = CountingApp(page)
        self.server = Server(self.app, ["127.0.0.1:0"], name="web")
        self.address = self.server.addresses[0]

    def scrape(self, *, method: str = "GET", query: str = "", **headers: str) -> tuple[dict[str, str], bytes]:
        """Headers (lower case) and body of the page."""
        connection = HTTPConnection(self.address, timeout=60)
        try:
            names = {name.replace("_", "-"): value for name, value in headers.items()}
            connection.request(method, f"/metrics{query}", headers=names)
            response = connection.getresponse()
            assert response.status == 200
            return {name.lower(): value for name, value in response.getheaders()}, response.read()
        finally:
            connection.close()


@pytest.fixture
def page() -> SlowMetrics:
    return SlowMetrics()


@pytest.fixture
def server(page: SlowMetrics) -> Iterator[MetricsServer]:
    metrics_server = MetricsServer(page)
    with metrics_server.server:
        yield metrics_server


@pytest.mark.parametrize(
    ("accept_encoding", "content_encoding"),
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
    server: MetricsServer, accept_encoding: str | None, content_encoding: str | None
) -> None:
    """The page is compressed only for clients that prefer gzip; ``Vary`` names what it depends on."""
    headers, body = server.scrape(**({} if accept_encoding is None else {"Accept_Encoding": accept_encoding}))
    assert headers.get("content-encoding") == content_encoding
    assert headers["vary"] == "Accept, Accept-Encoding"
    assert headers["content-length"] == str(len(body))
    assert (gzip.decompress(body) if content_encoding else body) == b"1 x 1\n"


@pytest.mark.parametrize(
    ("accept", "format"),
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
def test_format_is_negotiated(server: MetricsServer, accept: str, format: Format) -> None:
    """The client gets the format it prefers of those that exist, or else the oldest text format."""
    assert server.scrape(Accept=accept)[0]["content-type"] == format.value


def test_head(server: MetricsServer, page: SlowMetrics) -> None:
    """HEAD has the headers of GET and no body."""
    page.body = b"x" * 10**6
    headers, body = server.scrape(method="HEAD")
    assert (headers["content-length"], body) == (str(10**6 + 2), b"")


def test_scrapes_share_a_rendering(server: MetricsServer, page: SlowMetrics) -> None:
    """Twenty scrapes at once share one rendering; a scrape after it gets its own."""
    page.release.clear()
    with ThreadPoolExecutor(20) as pool:
        scrapes = [pool.submit(server.scrape) for _ in range(20)]
        until(lambda: server.app.requests == 20, "all requests")
        page.release.set()
        assert {scrape.result()[1] for scrape in scrapes} == {b"1 x 1\n"}
    assert server.scrape()[1] == b"2 x 1\n"
    assert page.most_active == 1


def test_other_formats_share_the_lines(server: MetricsServer, page: SlowMetrics) -> None:
    """A scrape that waits for a rendering uses its lines; one that does not wait gets later ones."""
    page.release.clear()
    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(server.scrape)
        until(lambda: page.active, "a rendering")
        second = pool.submit(server.scrape, Accept="application/openmetrics-text")
        until(lambda: server.app.requests == 2, "another request")
        page.release.set()
        first.result()
        second.result()
    finished = time.monotonic()
    server.scrape()
    (_, begun), (since_of_second, _), (since_of_third, _) = page.times
    assert since_of_second <= begun
    assert since_of_third >= finished


def test_a_query_selects_parts(server: MetricsServer, page: SlowMetrics) -> None:
    """The page is rendered for the parts and accounts of the query; an unknown name is 400."""
    connection = HTTPConnection(server.address, timeout=60)
    for query, status in (("collect[]=activity&account=east", 200), ("collect[]=nothing", 400)):
        connection.request("GET", f"/metrics?{query}")
        response = connection.getresponse()
        assert response.status == status
        body = response.read().decode()
    assert body.startswith("unknown collect[] 'nothing'; expected one of: port_metrics, ")
    assert page.selections == [Selection(frozenset({Part.ACTIVITY}), frozenset({"east"}))]
    connection.close()


def test_different_selections_do_not_share_a_rendering(server: MetricsServer, page: SlowMetrics) -> None:
    """Requests for different parts at the same time get different pages."""
    page.release.clear()
    with ThreadPoolExecutor(2) as pool:
        scrapes = [pool.submit(server.scrape, query=f"?account={name}") for name in ("east", "west")]
        until(lambda: server.app.requests == 2, "both requests")
        page.release.set()
        assert {scrape.result()[1] for scrape in scrapes} == {b"1 x 1\n", b"2 x 1\n"}


def test_a_client_that_does_not_read_is_dropped(
    server: MetricsServer, page: SlowMetrics, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A client that never reads does not delay others, and its response is cut off after a while."""
    monkeypatch.setattr("pf_exporter.server.connection.STALL_TIMEOUT", 2.0)
    page.body = b"x" * 50_000_000
    idle = HTTPConnection(server.address, timeout=60)
    idle.request("GET", "/metrics")
    assert len(server.scrape()[1]) > 50_000_000
    until(lambda: server.app.active == 0, "the end of its request")
    with idle.getresponse() as response, pytest.raises(IncompleteRead):
        response.read()
    idle.close()


@pytest.mark.parametrize("path", ["/metrics/", "/-/healthy/", "//evil.example/", "/metrics//"])
def test_no_redirect(server: MetricsServer, path: str) -> None:
    """A path with a slash too many is 404, not a redirect to the host that the client names."""
    connection = HTTPConnection(server.address, timeout=60)
    connection.request("GET", path, headers={"Host": "evil.example"})
    response = connection.getresponse()
    assert (response.status, response.getheader("location")) == (404, None)
    response.read()
    connection.close()


class Text(DeflatedText):
    """A page of a megabyte."""

    def __init__(self) -> None:
        super().__init__([])
        self.gzip_size = 1024 * 1024


def test_clients_of_old_pages_are_disconnected() -> None:
    """Clients of the oldest page are disconnected when the pages being sent exceed the limit, no others."""
    pages = OpenPages()
    limit = OPEN_BYTES // Text().gzip_size
    disconnected: list[int] = []
    texts = [Text() for _ in range(limit + 1)]
    for number, text in enumerate(texts[:-1]):
        for _ in range(2):
            pages.add(text, functools.partial(disconnected.append, number))
    assert disconnected == []
    pages.add(texts[-1], functools.partial(disconnected.append, limit))
    assert disconnected == [0, 0]


def test_clients_of_the_latest_pages_stay() -> None:
    """However large the latest page and the one before are, their clients are never disconnected."""
    pages = OpenPages()
    disconnected: list[int] = []
    for number in range(3):
        text = Text()
        text.gzip_size = 2 * OPEN_BYTES
        pages.add(text, functools.partial(disconnected.append, number))
    assert disconnected == [0]
