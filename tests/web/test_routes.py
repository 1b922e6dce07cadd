"""Readiness."""

from __future__ import annotations

import threading
from urllib.error import HTTPError

from pf_exporter.config.settings import Config, StreamSettings, WebSettings
from pf_exporter.service.exporter import Exporter
from tests.conftest import get, until
from tests.fakes import FIN, Answer, Fake

WEB = WebSettings(listen_address=("127.0.0.1:0",))
QUICK = StreamSettings(backoff_min=0.02, backoff_max=0.1)


def status_code(url: str) -> int:
    try:
        return get(url)[0]
    except HTTPError as exc:
        exc.close()
        return exc.code


def test_ready_once_every_account_has_streamed(fake: Fake) -> None:
    """/-/ready is 503 until each account has had a stream, and 200 from then on, even without streams."""
    with Fake() as other:
        gate = threading.Event()
        other.script["login"] = [(gate.wait, Answer(500)), Answer(500)]
        accounts = (fake.account(name="one"), other.account(name="two"))
        with Exporter(Config(accounts=accounts, web=WEB, stream=QUICK)) as exporter:
            url = f"http://{exporter.server.addresses[0]}/-/ready"
            until(lambda: exporter.pipelines[0].stats.up, "the first stream")
            assert status_code(url) == 503
            gate.set()
            until(lambda: status_code(url) == 200, "both streams")
            other.script["open"] = iter([Answer(500)] * 100)
            for connection in other.streams:
                connection.hand(FIN)
            until(lambda: not exporter.pipelines[1].stats.up, "the loss of a stream")
            assert status_code(url) == 200
