"""HTTP with the receiver: kept connections, TLS, deadlines."""

from __future__ import annotations

import http.client
import ssl
import threading
from pathlib import Path

import pytest

from pf_exporter.config import Proxy
from pf_exporter.config.secrets import Secret
from pf_exporter.remote_write import receiver as receiver_module
from pf_exporter.remote_write.batch import EMPTY
from pf_exporter.remote_write.receiver import Receiver, TlsOptions
from tests.conftest import until
from tests.links import Proxy as LinkProxy
from tests.remote_write.fake_receiver import FakeReceiver, Reply
from tests.server.authority import Authority


def post(receiver: Receiver) -> int:
    return receiver.post(EMPTY.body, {"X-Test": "1"}).status


def test_one_connection() -> None:
    """Requests share a connection as long as the receiver keeps it open, and a new one follows it."""
    addresses: list[tuple[str, int]] = []
    with FakeReceiver() as fake:
        receiver = Receiver(fake.url + "?tenant=1", TlsOptions())
        fake.on_connect = addresses.append
        assert [post(receiver), post(receiver)] == [204, 204]
        assert len(addresses) == 1
        fake.answer = lambda samples: Reply(headers={"Connection": "close"})
        assert [post(receiver), post(receiver)] == [204, 204]
        assert len(addresses) == 2
        assert fake.requests[0].path == "/api/v1/write?tenant=1"
        assert fake.requests[0].headers["x-test"] == "1"
        receiver.close()


def test_errors() -> None:
    """A closed connection and a refused one raise what the sender expects."""
    with FakeReceiver() as fake:
        fake.answer = lambda samples: Reply(closes=True)
        receiver = Receiver(fake.url, TlsOptions())
        with pytest.raises((OSError, http.client.HTTPException)):
            post(receiver)
    with pytest.raises(ConnectionRefusedError):
        post(receiver)


def test_long_response() -> None:
    """Only the start of a long response is read; the connection is not used again."""
    with FakeReceiver() as fake:
        fake.answer = lambda samples: Reply(400, body=b"x" * 100_000)
        receiver = Receiver(fake.url, TlsOptions())
        assert len(receiver.post(EMPTY.body, {}).body) == receiver_module.MAX_RESPONSE_BYTES
        fake.answer = lambda samples: Reply()
        assert post(receiver) == 204
        receiver.close()


def test_dripping_response(monkeypatch: pytest.MonkeyPatch) -> None:
    """A response whose header never ends is cut at the deadline."""
    monkeypatch.setattr(receiver_module, "REQUEST_DEADLINE", 0.3)
    with FakeReceiver() as fake:
        fake.answer = lambda samples: Reply(drips=True)
        receiver = Receiver(fake.url, TlsOptions())
        over = threading.Event()

        def watch() -> None:
            while not over.wait(0.05):
                receiver.enforce_deadline()

        thread = threading.Thread(target=watch)
        thread.start()
        with pytest.raises(TimeoutError, match=r"no complete response within 0\.3 seconds"):
            post(receiver)
        over.set()
        thread.join()


def test_abort() -> None:
    """Another thread can end a request, and no new one starts."""
    with FakeReceiver() as fake:
        receiver = Receiver(fake.url, TlsOptions())
        release = threading.Event()

        def abort() -> None:
            receiver.abort()
            release.wait(60)

        fake.answer = lambda samples: Reply(before=abort)
        with pytest.raises((OSError, http.client.HTTPException)):
            post(receiver)
        release.set()
        with pytest.raises(ConnectionAbortedError, match="the exporter is stopping"):
            post(receiver)


def test_tls(tmp_path: Path) -> None:
    """A certificate is verified, also under another name, and a client certificate is presented."""
    authority = Authority(tmp_path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*authority.sign("server", "metrics.example.com"))
    context.load_verify_locations(authority.path)
    context.verify_mode = ssl.CERT_REQUIRED
    certificate, key = map(str, authority.sign("client", "client"))
    right = TlsOptions(str(authority.path), certificate, key, "metrics.example.com")
    with FakeReceiver(context) as fake:
        receiver = Receiver(fake.url, right)
        assert [post(receiver), post(receiver)] == [204, 204]
        receiver.close()
        for wrong in (
            right._replace(server_name=""),
            right._replace(ca_file=""),
            right._replace(cert_file="", key_file=""),
        ):
            receiver = Receiver(fake.url, wrong)
            with pytest.raises(OSError):  # noqa: PT011  # of several kinds
                post(receiver)
            receiver.close()


@pytest.mark.parametrize(
    ("host", "headers"),
    [("a..b", {}), ("", {"Authorization": "Bearer \u65e5"}), ("", {"X-A": "b\nc"})],
)
def test_requests_that_cannot_be_sent(host: str, headers: dict[str, str]) -> None:
    """An unusable name or header is an error like any other, which the sender reports, without its value."""
    with FakeReceiver() as fake:
        receiver = Receiver(f"http://{host}/" if host else fake.url, TlsOptions())
        with pytest.raises(OSError, match="the request cannot be sent") as caught:
            receiver.post(EMPTY.body, headers)
    assert "Bearer" not in str(caught.value)


def test_proxy(tmp_path: Path) -> None:
    """Requests go through a tunnel, whose proxy sees neither them nor their headers."""
    authority = Authority(tmp_path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*authority.sign("server", "127.0.0.1"))
    tls = TlsOptions(str(authority.path))
    with FakeReceiver(context) as fake, LinkProxy(user="u:p") as proxy:
        host, port = proxy.address.split(":")
        receiver = Receiver(fake.url, tls, lambda: Proxy(host, int(port), Secret("u:p")))
        assert [post(receiver), post(receiver)] == [204, 204]
        receiver.close()
        (head,) = proxy.heads
        assert head.startswith(f"CONNECT {receiver.address} HTTP/1.1")
        assert b"X-Test" not in proxy.from_client
        receiver = Receiver(fake.url, tls, lambda: Proxy(host, int(port), Secret("u:canary")))
        with pytest.raises(OSError, match=f"proxy {proxy.address}: HTTP 407") as caught:
            post(receiver)
        assert "canary" not in str(caught.value)
        receiver.close()


def test_stop_during_the_connection_to_a_proxy() -> None:
    """A proxy that does not answer does not delay the stop."""
    with LinkProxy(delay=60.0) as proxy:
        host, port = proxy.address.split(":")
        receiver = Receiver("https://127.0.0.1:9/", TlsOptions(), lambda: Proxy(host, int(port)))
        errors: list[BaseException] = []

        def send() -> None:
            with pytest.raises(OSError, match="proxy") as caught:  # in a thread
                post(receiver)
            errors.append(caught.value)

        thread = threading.Thread(target=send)
        thread.start()
        until(lambda: proxy.is_reached, "the connection to the proxy")

        def has_ended() -> bool:
            receiver.abort()  # again, for the moment in which the new connection is not known yet
            return not thread.is_alive()

        until(has_ended, "the end of the request")
        assert errors
