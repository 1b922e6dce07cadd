"""Clients that are slow, silent, many or rude cost little and hold up nobody."""

from __future__ import annotations

import asyncio
import resource
import socket
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from starlette.responses import PlainTextResponse
from starlette.types import Receive, Scope, Send

from pf_exporter.metrics.exposition import Format
from pf_exporter.server.middleware import SCRAPE_TIMEOUT, TokenBucket
from pf_exporter.web.app import create_app
from tests.conftest import until
from tests.server.conftest import Serve, Site, is_cut_off


class Slow:
    """A page that is ready when it is told to be; ``pages`` under way are counted."""

    def __init__(self, body: bytes = b"hello") -> None:
        self.body = body
        self.under_way = 0
        self.go = threading.Event()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.under_way += 1
        await asyncio.get_running_loop().run_in_executor(None, self.go.wait, 10)
        self.under_way -= 1
        await PlainTextResponse(self.body)(scope, receive, send)


@pytest.fixture
def slow() -> Iterator[Slow]:
    page = Slow()
    yield page
    page.go.set()


def connected(site: Site, sent: bytes = b"") -> socket.socket:
    host, port = site.address.rsplit(":", 1)
    sock = socket.create_connection((host, int(port)), timeout=10)
    sock.sendall(sent)
    return sock


def test_300_slow_loris(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    """300 clients that never finish their request do not keep a healthy one waiting, and are cut off."""
    monkeypatch.setattr("pf_exporter.server.connection.ASK_WITHIN", 1.0)
    site = serve()
    before = threading.active_count()
    many = [connected(site, b"GET /metrics HTTP/1.1\r\nX-A: ") for _ in range(300)]
    for one in many[:100]:
        one.sendall(b"b")
    assert site.get()[::2] == (200, "hello")
    assert threading.active_count() <= before + 1
    for one in many:
        with one:
            assert is_cut_off(one)
    assert site.get()[0] == 200


def test_a_dripping_client_gets_no_more_time(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    """A byte now and then does not buy time, on a new connection nor on one that was used."""
    monkeypatch.setattr("pf_exporter.server.connection.ASK_WITHIN", 0.6)
    site = serve()
    used = connected(site, b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
    assert used.recv(65536).startswith(b"HTTP/1.1 200")
    pause = threading.Event()
    for one in (connected(site, b"G"), used):
        with one, pytest.raises(ConnectionError):  # noqa: PT012  # which of the bytes meets the end is open
            for _ in range(100):
                one.sendall(b"G")
                pause.wait(0.1)


class Large:
    """A page of 40 MB for who does not take it compressed."""

    def gzip(self, format: Format) -> bytes:
        return b"small"

    def plain(self, format: Format) -> bytes:
        return bytes(40_000_000)


def resident() -> int:
    """Bytes of memory that this process has."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize()


def test_20_scrapers_that_never_read(serve: Serve) -> None:
    """Clients that ask for much and read nothing hold up nobody, share one page, and are cut off."""
    site = serve(app=create_app(Large(), telemetry_path="/metrics", healthy=lambda: True), answer_within=2.0)
    before = resident()
    deaf = [connected(site, b"GET /metrics HTTP/1.1\r\nHost: a\r\n\r\n") for _ in range(20)]
    assert site.get(headers={"Accept-Encoding": "gzip"})[::2] == (200, "small")
    assert resident() - before < 200_000_000
    connections = site.server._uvicorn.server_state.connections
    until(lambda: len(connections) <= 1, "their end")
    for one in deaf:
        one.close()
    until(lambda: resident() - before < 50_000_000, "their memory")


def test_too_many_at_once(serve: Serve, slow: Slow) -> None:
    """Above web.max_requests a scrape gets 503 and the reason; health is answered all the same."""
    site = serve(app=slow, max_requests=2)
    with ThreadPoolExecutor() as pool:
        under_way = [pool.submit(site.get) for _ in range(2)]
        until(lambda: slow.under_way == 2, "two requests under way")
        status, _, body = site.get()
        assert (status, body) == (503, "Limit of concurrent requests reached (2), try again later.\n")
        slow.go.set()
        assert [one.result()[0] for one in under_way] == [200, 200]
        assert site.get()[0] == 200
        assert site.get("/-/healthy")[0] == 200


def test_no_limit(serve: Serve, slow: Slow) -> None:
    """0 is no limit."""
    site = serve(app=slow, max_requests=0)
    with ThreadPoolExecutor(20) as pool:
        under_way = [pool.submit(site.get) for _ in range(5)]
        until(lambda: slow.under_way == 5, "five requests under way")
        slow.go.set()
        assert [one.result()[0] for one in under_way] == [200] * 5


def test_20_parallel_scrapes(serve: Serve) -> None:
    """Twenty at the same time all get their page."""
    page = Slow()
    page.go.set()
    site = serve(app=page)
    with ThreadPoolExecutor(20) as pool:
        assert {one[0] for one in pool.map(lambda _: site.get(), range(100))} == {200}


def test_the_scrape_timeout_is_respected(serve: Serve, slow: Slow) -> None:
    """A page that will be late is 503 before Prometheus gives up; its work keeps its place until it ends."""
    site = serve(app=slow, max_requests=1)
    status, _, body = site.get(headers={SCRAPE_TIMEOUT: "0.3"})
    assert (status, body) == (503, "The page is not ready in time.\n")
    assert site.get()[0] == 503
    slow.go.set()
    until(lambda: slow.under_way == 0, "the end of the work")
    until(lambda: site.get(headers={SCRAPE_TIMEOUT: "10"})[0] == 200, "the place")


@pytest.mark.parametrize("value", ["", "x", "-1", "0", "nan", "inf", "1e999"])
def test_an_odd_scrape_timeout_is_none(serve: Serve, value: str) -> None:
    """A header that is no time-out is not obeyed."""
    assert serve().get(headers={SCRAPE_TIMEOUT: value})[0] == 200


@pytest.mark.parametrize("header", [b"Content-Length: 5", b"Transfer-Encoding: chunked"])
def test_bodies_are_refused(serve: Serve, header: bytes) -> None:
    """A request with a body gets 413, and its connection ends whether the body comes or not."""
    site = serve()
    with connected(site, b"GET / HTTP/1.1\r\nHost: a\r\n" + header + b"\r\n\r\n") as sock:
        assert sock.recv(65536).startswith(b"HTTP/1.1 413")
        assert is_cut_off(sock)


def test_headers_are_bounded(serve: Serve) -> None:
    """Headers that go on and on are answered with 400, not kept."""
    site = serve()
    with connected(site, b"GET / HTTP/1.1\r\nX-A: ") as sock:
        try:
            for _ in range(64):
                sock.sendall(b"a" * 1024)
        except ConnectionError:
            return
        assert sock.recv(65536).startswith(b"HTTP/1.1 400")


def test_connections_are_bounded(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    """More connections than there is room for are closed at once; when others end there is room again."""
    monkeypatch.setattr("pf_exporter.server.connection.CONNECTIONS_LIMIT", 10)
    site = serve()
    held = [connected(site) for _ in range(10)]
    with connected(site) as refused:
        assert is_cut_off(refused)
    for one in held:
        one.close()

    def answers() -> bool:
        try:
            return site.get()[0] == 200
        except ConnectionError:
            return False

    until(answers, "room")


def test_garbage(serve: Serve) -> None:
    """What is no HTTP gets 400 or silence, and an end."""
    site = serve()
    for sent in (
        b"\r\n\r\n",
        b"\0" * 100,
        b"GET\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01",
    ):
        with connected(site, sent) as sock:
            sock.shutdown(socket.SHUT_WR)
            assert is_cut_off(sock)
    assert site.get()[0] == 200


def test_rate_limit(serve: Serve) -> None:
    """After a burst requests get 429, until the next is due; a change of the file begins anew."""
    site = serve("rate_limit: {interval: 1h, burst: 2}")
    assert [site.get()[0] for _ in range(4)] == [200, 200, 429, 429]
    site.file.write_text("rate_limit: {interval: 1h, burst: 1}")
    assert [site.get()[0] for _ in range(2)] == [200, 429]
    site.file.write_text("")
    assert site.get()[0] == 200


def test_bucket() -> None:
    """A token comes each interval, and no more than the burst are kept."""
    now = 0.0
    bucket = TokenBucket(2.0, 2, clock=lambda: now)
    assert [bucket.take() for _ in range(3)] == [True, True, False]
    now = 1.9
    assert not bucket.take()
    now = 2.1
    assert [bucket.take(), bucket.take()] == [True, False]
    now = 1000.0
    assert [bucket.take() for _ in range(3)] == [True, True, False]


def test_headers_of_the_file(serve: Serve) -> None:
    """The headers that the file adds stand on every answer, refusals too."""
    site = serve(
        "http_server_config: {headers: {X-Frame-Options: deny}}\nrate_limit: {interval: 1h, burst: 1}"
    )
    for status in (200, 429):
        answered = site.get()
        assert (answered[0], answered[1]["x-frame-options"]) == (status, "deny")
