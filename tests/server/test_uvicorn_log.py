"""What uvicorn logs: clients cannot fill the log."""

from __future__ import annotations

import logging

import pytest
from starlette.responses import PlainTextResponse

from pf_exporter.server import uvicorn_log
from pf_exporter.server.server import Server
from pf_exporter.server.uvicorn_log import throttled
from tests.server.conftest import connected_to

UPGRADE = b"GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n"


def test_requests_that_are_not_http(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """However many requests of a kind uvicorn complains about, each of its messages is logged once."""
    monkeypatch.setattr(uvicorn_log, "EVERY", float("inf"))
    with Server(PlainTextResponse("hello"), ["127.0.0.1:0"], name="web") as server:
        for sent in (b"nonsense\r\n\r\n", UPGRADE) * 3:
            with connected_to(server.addresses[0], sent) as sock:
                assert sock.recv(1 << 16).startswith(b"HTTP/1.1 ")
    messages = [record.getMessage() for record in caplog.records if record.name == "uvicorn.error"]
    assert "Invalid HTTP request received." in messages
    assert "Unsupported upgrade request." in messages
    assert len(messages) == len(set(messages))


def test_a_message_is_logged_again(caplog: pytest.LogCaptureFixture) -> None:
    """After a minute the next one is logged; outside of the context nothing is left out."""
    times = iter([5.0, 64.9, 65.0])
    logger = logging.getLogger("uvicorn.error")
    with throttled(lambda: next(times)):
        for number in (1, 2, 3):
            logger.warning("number %d", number)
    logger.warning("number %d", 4)
    assert caplog.messages == ["number 1", "number 3", "number 4"]
