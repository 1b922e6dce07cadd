"""Requests: faults, aborts from other threads, and what is never sent or followed."""

from __future__ import annotations

import gc
import itertools
import re
import threading
import time
import traceback
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from pf_exporter.errors import (
    ExporterError,
    Rejected,
    StreamEnded,
    Unavailable,
)
from pf_exporter.packetfabric.connection import AbortableConnection
from pf_exporter.packetfabric.request import Request
from pf_exporter.packetfabric.transport import Transport
from tests.conftest import PATIENCE, until
from tests.fakes import (
    FIN,
    HEARTBEAT,
    OK,
    RST,
    SILENCE,
    STREAM,
    Answer,
    Fake,
    Piece,
    Step,
    certificate,
    dead_url,
)
from tests.packetfabric.harness import CANARY, LONG, PATH, call, end_of, open_stream

pytestmark = pytest.mark.usefixtures("nothing_left")

HOUR = 3600.0
"""A deadline that no test reaches."""


# Faults of one response

FAULTS: dict[str, Step] = {
    "end after the request": FIN,
    "reset after the request": RST,
    "end in the status line": LONG.but(stop=FIN, at=b"HTTP/1.1 2"),
    "reset in the headers": LONG.but(stop=RST, at=b"Content-T"),
    "end in the body": LONG.but(stop=FIN, at=b"xxx"),
    "reset in the body": LONG.but(stop=RST, at=b"xxx"),
    "end in a chunk": LONG.but(framing="chunked", stop=FIN, at=b"xxx"),
    "end before the last chunk": LONG.but(framing="chunked", stop=FIN, at=b'"}]\r\n'),
    "bad chunk size": (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", FIN),
    "negative chunk size": (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n-5\r\nhello\r\n", FIN),
    "unlimited chunk": (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n-1\r\nhello", SILENCE),
    "endless chunk size": (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + b"1" * 70_000, FIN),
    "another protocol": (b"SSH-2.0-OpenSSH_9.6\r\n", FIN),
    "binary": (bytes(range(256)) * 4, FIN),
    "a header too long": (b"HTTP/1.1 200 OK\r\nA: " + b"a" * 70_000, FIN),
    "too many headers": Answer(headers={f"A{n}": "a" for n in range(200)}),
    "lengths that differ": (b"HTTP/1.1 200 OK\r\nContent-Length: 1, 2\r\n\r\n12", FIN),
    "no gzip at all": Answer(headers={"Content-Encoding": "gzip"}, body=b"no gzip at all"),
}


@pytest.mark.parametrize("step", FAULTS.values(), ids=FAULTS.keys())
def test_broken_response(fake: Fake, step: Step) -> None:
    """However a response breaks, it is Unavailable at once, and quotes nothing of the request."""
    fake.script[PATH] = [step]
    url = fake.url.replace("//", f"//user:{CANARY}@")
    with pytest.raises(Unavailable) as caught:
        call(
            url,
            headers={"Authorization": CANARY},
            body={"password": CANARY},
            query={"q": CANARY},
        )
    assert "within" not in str(caught.value)  # no deadline ended it
    assert CANARY not in "".join(traceback.format_exception(caught.value))
    assert caught.value.__context__ is None


# CPython's ssl leaves a socket that was reset before the handshake to the garbage collector.
@pytest.mark.filterwarnings("ignore:unclosed <ssl.SSLSocket:ResourceWarning")
@pytest.mark.parametrize("scheme", ["http", "https"])
@pytest.mark.parametrize("step", [FIN, RST], ids=["end", "reset"])
def test_connection_closed_at_once(fake: Fake, step: Step, scheme: str) -> None:
    """A server that closes the connection at once, even in the TLS handshake, is Unavailable."""
    fake.script["connect"] = [step]
    with pytest.raises(Unavailable) as caught:
        call(fake.url.replace("http", scheme))
    assert "within" not in str(caught.value)  # no deadline ended it


def test_connection_refused(nothing_left: None) -> None:
    """A refused connection is reported as such."""
    with pytest.raises(Unavailable, match=r"^list: 127\.0\.0\.1:\d+: Connection refused$"):
        call(dead_url())


def test_impossible_host_name(nothing_left: None) -> None:
    """A host name that no resolver accepts is an ExporterError, not a UnicodeError."""
    with pytest.raises(ExporterError, match=r"^list: "):
        call("http://a..b")


def test_next_address_is_tried(fake: Fake) -> None:
    """If a name has several addresses, one that refuses does not end the attempt."""
    fake.script[PATH] = [Answer(body=b"[]")]
    assert call(fake.url.replace("127.0.0.1", "localhost")).body == b"[]"


def test_unsendable_header(nothing_left: None) -> None:
    """A line break in a token is refused before anything is sent, and not quoted."""
    with pytest.raises(Rejected, match=r"the URL is not valid, or the token contains") as caught:
        call(dead_url(), headers={"Authorization": f"Bearer {CANARY}\n"})
    assert CANARY not in str(caught.value)


@pytest.mark.parametrize("status", [300, 302, 401, 403, 429, 500, 503])
@pytest.mark.parametrize("move", [FIN, RST, SILENCE])
def test_status_counts_even_if_the_body_breaks(fake: Fake, status: int, move: Piece) -> None:
    """The status of an error response is not lost when its body is incomplete."""
    fake.script[PATH] = [Answer(status, {"Retry-After": "7"}, (b'{"mess', move))]
    response = call(fake.url, deadline=1.0)
    assert (response.status, response.headers["retry-after"], response.body) == (status, "7", b"")


# Aborts from another thread


def ended_by(end: Callable[[], None], ready: Callable[[], None], work: Callable[[], object]) -> ExporterError:
    """The error with which ``work`` ends on another thread after ``end``; ``ready`` waits until it waits."""
    with ThreadPoolExecutor(1) as pool:
        future = pool.submit(work)
        ready()
        end()
        exc = future.exception(PATIENCE)
    assert isinstance(exc, ExporterError)
    return exc


def test_abort_while_connecting(dropping_url: str) -> None:
    """An abort does not wait for a host that drops packets."""
    client = Transport(dropping_url, {})
    exc = ended_by(client.abort, lambda: time.sleep(0.1), lambda: client.call(Request("login", "POST", PATH)))
    assert re.fullmatch(r"login: [0-9.:]+: the exporter is stopping", str(exc))


def test_abort_in_a_tls_handshake(fake: Fake) -> None:
    """An abort does not wait for a handshake."""
    fake.script["connect"] = [SILENCE]
    client = Transport(fake.url.replace("http:", "https:"), {})
    exc = ended_by(
        client.abort,
        lambda: fake.wait_for(lambda: fake.connections),
        lambda: client.call(Request("login", "POST", PATH, deadline=HOUR)),
    )
    assert isinstance(exc, Unavailable)


@pytest.mark.parametrize(
    "step",
    [
        SILENCE,
        LONG.but(stop=SILENCE, at=b"Content"),
        LONG.but(stop=SILENCE, at=b"xxx"),
        LONG.but(framing="chunked", stop=SILENCE, at=b"xxx"),
        LONG.but(framing="close", stop=SILENCE, at=b"xxx"),
    ],
    ids=["before", "headers", "length", "chunked", "close"],
)
@pytest.mark.parametrize("secure", [False, True], ids=["plain", "tls"])
def test_abort_of_a_call(tmp_path: Path, step: Step, secure: bool) -> None:
    """A call ends at once, wherever it waits, and never with half a response."""
    ca_file, context = certificate(tmp_path) if secure else (None, None)
    with Fake(tls=context) as fake:
        fake.script[PATH] = [step]
        client = Transport(fake.url, {}, ca_file=ca_file)
        exc = ended_by(
            client.abort,
            lambda: fake.wait_for(lambda: fake.of(PATH)),
            lambda: client.call(Request("list", "GET", PATH, deadline=HOUR)),
        )
        assert re.fullmatch(r"list: [0-9.:]+: the exporter is stopping", str(exc))


@pytest.mark.parametrize("framing", ["chunked", "length", "close"])
@pytest.mark.parametrize("secure", [False, True], ids=["plain", "tls"])
@pytest.mark.parametrize("how", ["abort", "shutdown", "end_reading"])
def test_stream_is_ended_by_another_thread(tmp_path: Path, framing: str, secure: bool, how: str) -> None:
    """A blocked read ends at once as StreamEnded, and close() by the reader, even twice, does not raise."""
    ca_file, context = certificate(tmp_path) if secure else (None, None)
    with Fake(tls=context, heartbeat=60) as fake:
        fake.script[PATH] = [STREAM.but(framing=framing)]
        client = Transport(fake.url, {}, ca_file=ca_file)
        stream = client.open(Request("stream", "GET", PATH))
        chunks = stream.chunks()
        assert next(chunks) == HEARTBEAT
        exc = ended_by(
            client.abort if how == "abort" else getattr(stream, how),
            lambda: fake.wait_for(lambda: fake.streams),
            lambda: next(chunks),
        )
        assert type(exc) is StreamEnded
        assert stream.was_shut_down is (how == "shutdown")
        stream.close()
        stream.close()
        stream.shutdown()
        fake.wait_for(lambda: not fake.connections)


def test_shutdown_ends_one_stream_only(fake: Fake) -> None:
    """Ending one stream of a transport leaves the other alone."""
    fake.script[PATH] = itertools.repeat(STREAM)
    client = Transport(fake.url, {})
    first, second = (client.open(Request("stream", "GET", PATH)) for _ in range(2))
    chunks = second.chunks()
    assert next(chunks) == HEARTBEAT
    fake.wait_for(lambda: len(fake.streams) == 2)
    first.shutdown()
    assert isinstance(end_of(first)[1], StreamEnded)
    fake.wait_for(lambda: len(fake.streams) == 1)
    fake.send(b"still here")
    assert next(chunks) == b"still here"
    second.close()


def test_shutdown_and_close_race(fake: Fake) -> None:
    """A shutdown during a close neither raises nor leaves anything behind."""
    fake.script[PATH] = itertools.repeat(STREAM)
    both = threading.Barrier(2)

    def together(end: Callable[[], None]) -> None:
        both.wait(60)
        end()

    with ThreadPoolExecutor(2) as pool:
        for _ in range(50):
            stream = open_stream(fake.url)
            ends = [pool.submit(together, end) for end in (stream.shutdown, stream.close)]
            assert all(future.exception(60) is None for future in ends)
    fake.wait_for(lambda: not fake.connections)


def test_after_an_abort_only_a_logout_is_sent(fake: Fake) -> None:
    """An aborted transport refuses requests without connecting, but sends those that are allowed."""
    fake.script[PATH] = itertools.repeat(Answer(body=b"[]"))
    client = Transport(fake.url, {})
    client.abort()
    for _ in range(3):
        with pytest.raises(Unavailable, match=r"^list: [0-9.:]+: the exporter is stopping$"):
            client.call(Request("list", "GET", PATH))
    assert client.call(Request("logout", "GET", PATH, allow_after_abort=True)).status == 200
    assert len(fake.requests) == 1


def connections_in_memory() -> int:
    gc.collect()
    return sum(isinstance(each, AbortableConnection) for each in gc.get_objects())


def test_requests_leave_nothing_in_memory(fake: Fake) -> None:
    """A transport forgets the connection of each request."""
    before = connections_in_memory()
    fake.script[PATH] = itertools.repeat(Answer(body=b"[]"))
    transport = Transport(fake.url, {})
    for _ in range(5):
        transport.call(Request("list", "GET", PATH))
    until(lambda: connections_in_memory() <= before, "the end of the requests")


# What is never sent, and never followed


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize(
    "location", ["{}/v2/ports", "//[::1", "/\xff\xfe", "http://", "", "file:///etc/passwd"]
)
def test_redirects_are_not_followed(fake: Fake, status: int, location: str) -> None:
    """A redirect to another port sends nothing there, and no target, however odd, has an effect."""
    with Fake() as recorder:
        fake.script[PATH] = [Answer(status, {"Location": location.format(recorder.url)})]
        response = Transport(fake.url, {}).call(Request("login", "POST", PATH, body={"password": CANARY}))
        assert response.status == status
        assert (recorder.requests, len(fake.requests)) == ([], 1)


def test_environment_is_ignored(fake: Fake, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Neither .netrc nor a proxy in the environment affects a request."""
    netrc = tmp_path / "netrc"
    netrc.write_text(f"machine 127.0.0.1 login intruder password {CANARY}\n")
    monkeypatch.setenv("NETRC", str(netrc))
    with Fake() as recorder:
        for name in ("http_proxy", "https_proxy", "all_proxy"):
            monkeypatch.setenv(name, recorder.url)
            monkeypatch.setenv(name.upper(), recorder.url)
        monkeypatch.delenv("no_proxy", raising=False)
        monkeypatch.delenv("NO_PROXY", raising=False)
        fake.script[PATH] = [OK]
        assert call(fake.url).status == 200
        assert recorder.connections == set()
        assert recorder.requests == []
    assert fake.requests[0].headers["authorization"] == "Bearer key"


@pytest.mark.parametrize(
    ("name", "days", "message"),
    [("127.0.0.1", 1, "self"), ("127.0.0.2", 1, "IP address mismatch"), ("127.0.0.1", -1, "expired")],
)
def test_untrusted_certificates(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, name: str, days: int, message: str
) -> None:
    """An unknown, wrong or expired certificate is refused, and no environment variable changes that."""
    path, context = certificate(tmp_path, name, days=days)
    for variable in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
        monkeypatch.setenv(variable, path)
    with Fake(tls=context) as fake:
        with pytest.raises(Unavailable, match=f"the server's certificate is not trusted: .*{message}"):
            call(fake.url, ca_file=None if message == "self" else path)
        assert fake.requests == []


def test_ca_file(tmp_path: Path) -> None:
    """The account's CA file is trusted; a missing one is named in the error."""
    path, context = certificate(tmp_path)
    with Fake(tls=context) as fake:
        assert call(fake.url, ca_file=path).status == 200
        Path(path).unlink()
        with pytest.raises(Unavailable, match=rf"^list: {path} \(ca_file\) cannot be read: No such file"):
            call(fake.url, ca_file=path)


def test_https_to_a_plain_port(fake: Fake) -> None:
    """TLS with a server of plain HTTP is an error with a hint."""
    fake.script["connect"] = [(b"HTTP/1.1 400 Bad Request\r\n\r\n", FIN)]
    with pytest.raises(
        Unavailable, match=r"^list: 127\.0\.0\.1:\d+: TLS failed: the server does not speak TLS on this port"
    ):
        call(fake.url.replace("http:", "https:"))
