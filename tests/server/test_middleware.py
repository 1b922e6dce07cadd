"""Limits of requests: concurrency, scrape timeout, bodies and rate."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from pf_exporter.server.middleware import SCRAPE_TIMEOUT_HEADER, TokenBucket
from tests.conftest import until
from tests.server.conftest import Serve, SlowPage, connected, is_disconnected


def test_concurrency_limit(serve: Serve, slow_page: SlowPage) -> None:
    """A request above the limit gets 503 and the reason; health probes are answered all the same."""
    server = serve(app=slow_page, max_requests=2)
    with ThreadPoolExecutor() as pool:
        requests = [pool.submit(server.get) for _ in range(2)]
        until(lambda: slow_page.active == 2, "two active requests")
        status, _, body = server.get()
        assert (status, body) == (503, "Limit of concurrent requests reached (2), try again later.\n")
        slow_page.release.set()
        assert [request.result()[0] for request in requests] == [200, 200]
        assert server.get()[0] == 200
        assert server.get("/-/healthy")[0] == 200


def test_no_concurrency_limit(serve: Serve, slow_page: SlowPage) -> None:
    """0 is no limit."""
    server = serve(app=slow_page, max_requests=0)
    with ThreadPoolExecutor(20) as pool:
        requests = [pool.submit(server.get) for _ in range(5)]
        until(lambda: slow_page.active == 5, "five active requests")
        slow_page.release.set()
        assert [request.result()[0] for request in requests] == [200] * 5


def test_20_parallel_requests(serve: Serve) -> None:
    """Twenty requests at a time all get their page."""
    page = SlowPage()
    page.release.set()
    server = serve(app=page)
    with ThreadPoolExecutor(20) as pool:
        assert {response[0] for response in pool.map(lambda _: server.get(), range(100))} == {200}


def test_scrape_timeout(serve: Serve, slow_page: SlowPage) -> None:
    """A late page is 503 before Prometheus gives up; rendering counts as active until it ends."""
    server = serve(app=slow_page, max_requests=1)
    status, _, body = server.get(headers={SCRAPE_TIMEOUT_HEADER: "0.3"})
    assert (status, body) == (503, "The page was not ready within the scrape timeout.\n")
    assert server.get()[0] == 503
    slow_page.release.set()
    until(lambda: slow_page.active == 0, "the end of rendering")
    until(lambda: server.get(headers={SCRAPE_TIMEOUT_HEADER: "10"})[0] == 200, "a page in time")


@pytest.mark.parametrize("value", ["", "x", "-1", "0", "nan", "inf", "1e999"])
def test_an_invalid_scrape_timeout_is_ignored(serve: Serve, value: str) -> None:
    """A header that is not a positive finite number sets no timeout."""
    assert serve().get(headers={SCRAPE_TIMEOUT_HEADER: value})[0] == 200


@pytest.mark.parametrize("header", [b"Content-Length: 5", b"Transfer-Encoding: chunked"])
def test_bodies_are_rejected(serve: Serve, header: bytes) -> None:
    """A request with a body gets 413, and is disconnected whether it sends the body or not."""
    server = serve()
    with connected(server, b"GET / HTTP/1.1\r\nHost: a\r\n" + header + b"\r\n\r\n") as client:
        assert client.recv(65536).startswith(b"HTTP/1.1 413")
        assert is_disconnected(client)


def test_rate_limit(serve: Serve) -> None:
    """After a burst requests get 429 until the next token; a changed limit starts with a full bucket."""
    server = serve("rate_limit: {interval: 1h, burst: 2}")
    assert [server.get()[0] for _ in range(4)] == [200, 200, 429, 429]
    server.file.write_text("rate_limit: {interval: 1h, burst: 1}")
    assert [server.get()[0] for _ in range(2)] == [200, 429]
    server.file.write_text("")
    assert server.get()[0] == 200


def test_token_bucket() -> None:
    """One token arrives every interval, and at most the burst is kept."""
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
    """The headers of the web configuration file are on every response, refusals too."""
    server = serve(
        "http_server_config: {headers: {X-Frame-Options: deny}}\nrate_limit: {interval: 1h, burst: 1}"
    )
    for status in (200, 429):
        response = server.get()
        assert (response[0], response[1]["x-frame-options"]) == (status, "deny")
