"""Limits of requests: concurrency, scrape timeout, bodies and rate."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor

import pytest
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from pf_exporter.config import Secret
from pf_exporter.server.basic_auth import BasicAuth
from pf_exporter.server.middleware import HEALTH_PATHS, RequestLimit, TokenBucket
from tests.conftest import PATIENCE, until
from tests.server.conftest import Serve, SlowPage, Timers, connected, hashed, is_disconnected


class HealthBeside:
    """An application whose health pages are answered at once."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        app = PlainTextResponse("well") if scope["path"] in HEALTH_PATHS else self._app
        await app(scope, receive, send)


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Requests above the limit wait for a moment only."""
    monkeypatch.setattr("pf_exporter.server.middleware.ROOM_ATTEMPTS", 1)


@pytest.fixture
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Requests above the limit wait until there is room."""
    monkeypatch.setattr("pf_exporter.server.middleware.ROOM_ATTEMPTS", 1000)


PROMETHEUS_TIMEOUT = "X-Prometheus-Scrape-Timeout-Seconds"
"""The header as Prometheus sends it."""


@pytest.mark.usefixtures("impatient")
def test_concurrency_limit(serve: Serve, slow_page: SlowPage) -> None:
    """A request above the limit gets 503 and the reason; health probes are answered all the same."""
    server = serve(app=HealthBeside(slow_page), max_requests=2)
    with ThreadPoolExecutor() as pool:
        requests = [pool.submit(server.get) for _ in range(2)]
        until(lambda: slow_page.active == 2, "two active requests")
        status, _, body = server.get()
        assert (status, body) == (503, "Limit of concurrent requests reached (2), try again later.\n")
        assert [server.get(path)[::2] for path in HEALTH_PATHS] == [(200, "well")] * 2
        slow_page.release.set()
        assert [request.result()[0] for request in requests] == [200, 200]
        assert server.get()[0] == 200


@pytest.mark.usefixtures("impatient")
def test_the_limit_holds(serve: Serve, slow_page: SlowPage) -> None:
    """After 100 requests, served, refused and abandoned, the limit is what it was."""
    server = serve(app=slow_page, max_requests=2)
    slow_page.release.set()
    for number in range(101):
        if number % 3:
            assert server.get()[0] == 200
        else:
            connected(server, b"GET / HTTP/1.1\r\nHost: a\r\n\r\n").close()
            until(lambda: slow_page.active == 0 and server.server.open_connections == 0, "its end")
    until(lambda: slow_page.active == 0, "the end of all")
    slow_page.release.clear()
    with ThreadPoolExecutor() as pool:
        requests = [pool.submit(server.get) for _ in range(2)]
        until(lambda: slow_page.active == 2, "two active requests")
        assert [server.get()[0] for _ in range(3)] == [503] * 3
        slow_page.release.set()
        assert [request.result()[0] for request in requests] == [200, 200]


@pytest.mark.usefixtures("patient")
def test_a_request_waits_for_room(serve: Serve, slow_page: SlowPage) -> None:
    """A request above the limit is answered if there is room a little later."""
    server = serve(app=slow_page, max_requests=1)
    with ThreadPoolExecutor() as pool:
        first = pool.submit(server.get)
        until(lambda: slow_page.active == 1, "an active request")
        second = pool.submit(server.get)
        until(lambda: server.server.open_connections == 2, "another request")
        slow_page.release.set()
        assert [first.result()[0], second.result()[0]] == [200, 200]


class LargePage:
    """An application with a response on ``/large`` that no buffer of a socket holds."""

    requests = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        if scope["path"] == "/large":
            self.requests += 1
            for _ in range(1000):
                await send({"type": "http.response.body", "body": b"x" * 65536, "more_body": True})
        await send({"type": "http.response.body"})


@pytest.mark.usefixtures("patient")
def test_clients_that_do_not_read_give_way(serve: Serve) -> None:
    """45 clients that do not read are no obstacle to a scrape, which costs one of them its connection."""
    page = LargePage()
    server = serve(app=page, max_requests=40)
    clients = [connected(server, b"GET /large HTTP/1.1\r\nHost: a\r\n\r\n") for _ in range(45)]
    until(lambda: (page.requests, server.server.open_connections) == (45, 40), "40 of 45 clients")
    assert [server.get("/metrics")[0] for _ in range(10)] == [200] * 10
    until(lambda: server.server.open_connections == 39, "39 of them")
    for client in clients:
        client.close()


def test_no_concurrency_limit(serve: Serve, slow_page: SlowPage) -> None:
    """By default there is no limit."""
    server = serve(app=slow_page)
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


@pytest.mark.usefixtures("impatient")
def test_scrape_timeout(serve: Serve, slow_page: SlowPage) -> None:
    """A late page is 503 before Prometheus gives up; rendering counts as active until it ends.

    The late page itself is never sent: the connection can be used for another request.
    """
    server = serve(app=slow_page, max_requests=1)
    connection = server.connection()
    connection.request("GET", "/metrics", headers={PROMETHEUS_TIMEOUT: "0.3"})
    response = connection.getresponse()
    assert (response.status, response.read()) == (503, b"The page was not ready within the scrape timeout.\n")
    assert server.get()[0] == 503
    slow_page.release.set()
    until(lambda: slow_page.active == 0, "the end of rendering")
    until(lambda: server.get(headers={PROMETHEUS_TIMEOUT: "1000"})[0] == 200, "a page in time")
    connection.request("GET", "/metrics", headers={PROMETHEUS_TIMEOUT: "1000"})
    response = connection.getresponse()
    assert (response.status, response.read()) == (200, b"hello")
    connection.close()


def test_part_of_the_scrape_timeout_is_for_sending(serve: Serve, slow_page: SlowPage, timers: Timers) -> None:
    """The page has 90 % of the scrape timeout to begin; its client can read it for longer."""
    has_begun = threading.Event()

    async def page(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["path"] == "/late":
            await slow_page(scope, receive, send)
            return
        await send({"type": "http.response.start", "status": 200, "headers": []})
        has_begun.set()
        await asyncio.get_running_loop().run_in_executor(None, slow_page.release.wait, PATIENCE)
        await send({"type": "http.response.body", "body": b"slow"})

    server = serve(app=page)
    headers = {PROMETHEUS_TIMEOUT: "1000"}
    with ThreadPoolExecutor() as pool:
        begun = pool.submit(server.get, headers=headers)
        assert has_begun.wait(PATIENCE)
        late = pool.submit(server.get, "/late", headers=headers)
        until(lambda: slow_page.active, "a page that does not begin")
        until(lambda: timers.active(900.0) == [900.0], "the timeout of one of them")
        timers.end(900.0)
        assert late.result()[0] == 503
        slow_page.release.set()
        assert begun.result()[::2] == (200, "slow")


@pytest.mark.parametrize("headers", [{}, {PROMETHEUS_TIMEOUT: "1000"}], ids=["page", "scrape"])
def test_a_page_that_fails(serve: Serve, headers: dict[str, str], caplog: pytest.LogCaptureFixture) -> None:
    """A fault is 500 and in the log, whether the client announces a scrape timeout or not."""

    async def page(scope: Scope, receive: Receive, send: Send) -> None:
        raise RuntimeError("a fault")

    assert serve(app=page).get(headers=headers)[0] == 500
    assert caplog.text.count("RuntimeError: a fault") == 1


def test_a_late_page_that_fails(
    serve: Serve, slow_page: SlowPage, timers: Timers, caplog: pytest.LogCaptureFixture
) -> None:
    """A fault after the scrape timeout is in the log, too."""

    async def page(scope: Scope, receive: Receive, send: Send) -> None:
        await slow_page(scope, receive, send)
        raise RuntimeError("a fault")

    server = serve(app=page)
    with ThreadPoolExecutor() as pool:
        late = pool.submit(server.get, headers={PROMETHEUS_TIMEOUT: "1000"})
        until(lambda: slow_page.active, "an active request")
        timers.end(900.0)
        assert late.result()[0] == 503
    slow_page.release.set()
    until(lambda: "RuntimeError: a fault" in caplog.text, "the fault in the log")


def test_clients_are_addresses(serve: Serve) -> None:
    """All connections of an address are one client of the passwords' queue."""
    clients: list[str] = []

    class Recording(BasicAuth):
        async def authenticate(
            self, authorization: str, users: Mapping[str, Secret], *, client: str = ""
        ) -> bool:
            clients.append(client)
            return True

    hashed_password = hashed("opensesame")
    server = serve(f"basic_auth_users: {{alice: {hashed_password}}}", basic_auth=Recording())
    assert server.get()[0] == 200
    assert clients == ["127.0.0.1"]


@pytest.mark.parametrize("value", ["", "x", "-1", "0", "nan", "inf", "1e999"])
def test_an_invalid_scrape_timeout_is_ignored(serve: Serve, value: str) -> None:
    """A header that is not a positive finite number sets no timeout."""

    async def page(scope: Scope, receive: Receive, send: Send) -> None:
        for _ in range(10):
            await asyncio.sleep(0)  # Longer than a timeout of 0.
        await PlainTextResponse("hello")(scope, receive, send)

    assert serve(app=page).get(headers={PROMETHEUS_TIMEOUT: value})[0] == 200


@pytest.mark.parametrize("header", [b"Content-Length: 5", b"Transfer-Encoding: chunked"])
def test_bodies_are_rejected(serve: Serve, header: bytes) -> None:
    """A request with a body gets 413, and is disconnected whether it sends the body or not."""
    server = serve()
    with connected(server, b"GET / HTTP/1.1\r\nHost: a\r\n" + header + b"\r\n\r\n") as client:
        assert client.recv(65536).startswith(b"HTTP/1.1 413")
        assert is_disconnected(client)


@pytest.mark.parametrize(("excess", "status"), [(0, 200), (1, 431)])
def test_size_of_the_headers(excess: int, status: int) -> None:
    """Path, query, names, values and separators of the headers count towards their limit."""
    messages: list[Message] = []

    async def send(message: Message) -> None:
        messages.append(message)

    async def receive() -> Message:
        return {"type": "http.request"}

    parts = (b"/metrics", b"a=b", b"Accept", b"*/*", b": \r\n", b"X-Name", b": \r\n")
    value = b"x" * (16 * 1024 - len(b"".join(parts)) + excess)
    headers = [(b"Accept", b"*/*"), (b"X-Name", value)]
    scope = {"type": "http", "raw_path": b"/metrics", "query_string": b"a=b", "headers": headers}
    asyncio.run(RequestLimit(PlainTextResponse("page"))(scope, receive, send))
    assert messages[0]["status"] == status


def test_rate_limit(serve: Serve) -> None:
    """After a burst requests get 429 until the next token; a changed limit starts with a full bucket.

    Health probes are always answered.
    """
    server = serve("rate_limit: {interval: 1h, burst: 2}")
    assert [server.get()[0] for _ in range(4)] == [200, 200, 429, 429]
    server.file.write_text("rate_limit: {interval: 1h, burst: 1}")
    assert [server.get()[0] for _ in range(2)] == [200, 429]
    assert [server.get(path)[0] for path in HEALTH_PATHS * 5] == [200] * 10
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
