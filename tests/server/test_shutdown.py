"""The end of the server while requests are active."""

from __future__ import annotations

import http.client
import threading

import pytest
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from pf_exporter.server.middleware import guard
from pf_exporter.server.reloader import WebConfigReloader
from pf_exporter.server.server import Server


@pytest.mark.parametrize(
    "headers", [{}, {"X-Prometheus-Scrape-Timeout-Seconds": "60"}], ids=["page", "scrape"]
)
def test_a_request_that_waits_logs_no_exception(
    headers: dict[str, str], caplog: pytest.LogCaptureFixture
) -> None:
    """A request whose page is still rendered at shutdown is cancelled; the log has no exception for it."""
    rendering, gate = threading.Event(), threading.Event()

    def page(request: Request) -> Response:
        rendering.set()
        gate.wait()
        return PlainTextResponse("late")

    server = Server(guard(Route("/", page), WebConfigReloader()), ["127.0.0.1:0"], name="web")
    with server:
        connection = http.client.HTTPConnection(server.addresses[0])
        connection.request("GET", "/", headers=headers)
        assert rendering.wait(60)
        stopping = threading.Thread(target=server.stop)
        stopping.start()
        with pytest.raises((http.client.RemoteDisconnected, ConnectionResetError)):
            connection.getresponse()
        gate.set()
        stopping.join()
        connection.close()
    assert [record for record in caplog.records if record.exc_info] == []
    assert [record.name for record in caplog.records] == ["uvicorn.error"]
