"""HTTP: what is bounded, what can be ended from outside, what errors say, and what never leaves."""

from __future__ import annotations

import contextlib
import errno
import gc
import itertools
import os
import socket
import ssl
import threading
import time
import traceback
import tracemalloc
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import requests.exceptions
import urllib3.exceptions

from pf_exporter.errors import (
    ExporterError,
    Rejected,
    StreamBroken,
    StreamEnded,
    StreamError,
    StreamIdle,
    Unavailable,
)
from pf_exporter.packetfabric.request import Request
from pf_exporter.packetfabric.response import Response, StreamingResponse
from pf_exporter.packetfabric.transport import Transport
from pf_exporter.packetfabric.transport_errors import FOREIGN, stream_error, unavailable
from tests.fakes import (
    END,
    FIN,
    HEARTBEAT,
    LIVE,
    OK,
    RST,
    SILENCE,
    STREAM,
    Answer,
    Fake,
    Piece,
    Step,
    bomb,
    certificate,
    dead_url,
    dripped,
)

CANARY = "c4nary-5ecret"
PATH = "/v2/ports"
SOON = 1.0
"""Seconds; well above what a stop takes, well below every timeout it cuts short."""


@pytest.fixture(autouse=True)
def nothing_left() -> Iterator[None]:
    def descriptors() -> int:
        return len(os.listdir("/proc/self/fd")) if os.path.isdir("/proc/self/fd") else 0

    threads, open_before = set(threading.enumerate()), descriptors()
    yield
    for thread in set(threading.enumerate()) - threads:
        thread.join(SOON)
        assert not thread.is_alive(), thread
    if descriptors() > open_before:
        gc.collect()  # What only this closes is told as a ResourceWarning, and so an error.
    assert descriptors() <= open_before


@pytest.fixture
def fake(nothing_left: None) -> Iterator[Fake]:
    with Fake() as server:
        yield server


@pytest.fixture
def full_house() -> Iterator[str]:
    """Where a connection attempt is neither accepted nor refused."""
    with contextlib.ExitStack() as stack:
        listener = stack.enter_context(socket.socket())
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        for _ in range(4):
            guest = stack.enter_context(socket.socket())
            guest.setblocking(False)
            guest.connect_ex(listener.getsockname())
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"


def get(url: str, **options: Any) -> Response:
    options.setdefault("headers", {"Authorization": "Bearer key"})
    ca_file = options.pop("ca_file", None)
    return Transport(url, {}, ca_file=ca_file).call(Request("list", "GET", PATH, **options))


def opened(url: str, **options: Any) -> StreamingResponse:
    return Transport(url, {}).open(Request("stream", "GET", PATH, **options))


@contextlib.contextmanager
def within(seconds: float) -> Iterator[None]:
    began = time.monotonic()
    yield
    assert time.monotonic() - began < seconds


def end_of(stream: StreamingResponse) -> tuple[bytes, StreamError]:
    """All that a stream brings, and how it ends."""
    received = b""
    try:
        for chunk in stream.chunks():
            received += chunk
    except StreamError as exc:
        return received, exc
    finally:
        stream.close()
    raise AssertionError("the iterator itself has ended")


# Exceptions


def foreign() -> list[type[BaseException]]:
    found = [*vars(requests.exceptions).values(), *vars(urllib3.exceptions).values()]
    return sorted(
        {
            cls
            for cls in found
            if isinstance(cls, type)
            and issubclass(cls, BaseException)
            and cls.__module__.startswith(("requests", "urllib3"))
        },
        key=str,
    )


def test_the_walk_finds_them() -> None:
    """The mechanical walk below sees both packages' trees."""
    assert {requests.exceptions.ChunkedEncodingError, urllib3.exceptions.ProtocolError} <= set(foreign())
    assert len(foreign()) > 50


@pytest.mark.parametrize("cls", foreign(), ids=lambda cls: f"{cls.__module__}.{cls.__name__}")
def test_every_foreign_exception_becomes_ours(cls: type[BaseException]) -> None:
    """Whatever requests and urllib3 define is caught, and turned into an error that quotes nothing of it."""
    exc = cls.__new__(cls)
    exc.args = (f"https://user:{CANARY}@host/?q={CANARY}", {"Authorization": CANARY}, CANARY.encode())
    assert isinstance(exc, FOREIGN) or issubclass(cls, Warning)
    whole, streaming = unavailable(exc, "login"), stream_error(exc, "stream")
    assert isinstance(whole, Rejected | Unavailable)
    assert isinstance(streaming, StreamBroken | StreamIdle)
    assert str(whole).startswith("login: ")
    for error in (whole, streaming):
        assert CANARY not in f"{error} {error!r}"
        assert "\n" not in str(error)


@pytest.mark.parametrize(
    ("exc", "said"),
    [
        (ConnectionResetError(errno.ECONNRESET, os.strerror(errno.ECONNRESET)), "Connection reset by peer"),
        (socket.gaierror(socket.EAI_NONAME, "Name unknown"), "the name cannot be resolved: Name unknown"),
        (ssl.SSLError("x"), "TLS failed: the server ended the handshake"),
        (TimeoutError("timed out"), "timed out"),
        (OSError(CANARY), "OSError"),
    ],
)
def test_the_cause_is_found_wherever_it_is_wrapped(exc: BaseException, said: str) -> None:
    """The reason a person can act on is dug out of any nesting, loops included."""
    inner = urllib3.exceptions.ProtocolError(CANARY, exc)
    outer = requests.exceptions.ConnectionError(inner)
    inner.__context__ = outer
    chained = requests.exceptions.ConnectionError(CANARY)
    chained.__cause__ = exc
    assert str(unavailable(exc, "login")) == f"login: {said}"
    if said != "OSError":
        assert str(unavailable(outer, "login")) == str(unavailable(chained, "login")) == f"login: {said}"


# Faults of one answer

BODY = b'[{"name": "' + b"x" * 200 + b'"}]'
LONG = Answer(body=BODY)
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
    "endless chunk size": (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + b"1" * 70_000, FIN),
    "another protocol": (b"SSH-2.0-OpenSSH_9.6\r\n", FIN),
    "binary": (bytes(range(256)) * 4, FIN),
    "a header too long": (b"HTTP/1.1 200 OK\r\nA: " + b"a" * 70_000, FIN),
    "too many headers": Answer(headers={f"A{n}": "a" for n in range(200)}),
    "lengths that differ": (b"HTTP/1.1 200 OK\r\nContent-Length: 1, 2\r\n\r\n12", FIN),
    "no gzip at all": Answer(headers={"Content-Encoding": "gzip"}, body=b"no gzip at all"),
}


@pytest.mark.parametrize("step", FAULTS.values(), ids=FAULTS.keys())
def test_a_broken_answer_is_unavailable_and_quotes_nothing(fake: Fake, step: Step) -> None:
    """However an answer breaks, it is Unavailable, at once, without a word of URL, query, header or body."""
    fake.script[PATH] = [step]
    url = fake.url.replace("//", f"//user:{CANARY}@")
    with within(SOON), pytest.raises(Unavailable) as caught:
        get(
            url,
            headers={"Authorization": CANARY},
            body={"password": CANARY},
            query={"q": CANARY},
            deadline=5,
        )
    assert CANARY not in "".join(traceback.format_exception(caught.value))
    assert caught.value.__context__ is None


# CPython's ssl leaves a socket that was reset before the handshake to the garbage collector.
@pytest.mark.filterwarnings("ignore:unclosed <ssl.SSLSocket:ResourceWarning")
@pytest.mark.parametrize("scheme", ["http", "https"])
@pytest.mark.parametrize("step", [FIN, RST], ids=["end", "reset"])
def test_a_connection_ended_before_a_byte_is_read(fake: Fake, step: Step, scheme: str) -> None:
    """A server that hangs up at once, be it in the TLS handshake, is Unavailable."""
    fake.script["connect"] = [step]
    with within(SOON), pytest.raises(Unavailable):
        get(fake.url.replace("http", scheme))


def test_nobody_listens(nothing_left: None) -> None:
    """A refused connection is said to be one."""
    with pytest.raises(Unavailable, match=r"^list: Connection refused$"):
        get(dead_url())


def test_a_name_that_cannot_be(nothing_left: None) -> None:
    """A host name that no resolver takes is an error of ours, not a UnicodeError."""
    with pytest.raises(ExporterError, match=r"^list: "):
        get("http://a..b")


def test_the_next_address_is_tried(fake: Fake) -> None:
    """Where a name has several addresses, one that refuses does not end the attempt."""
    fake.script[PATH] = [Answer(body=b"[]")]
    assert get(fake.url.replace("127.0.0.1", "localhost")).body == b"[]"


def test_a_header_that_cannot_be_sent(nothing_left: None) -> None:
    """A line break in a token is refused before anything is sent, and not quoted."""
    with pytest.raises(Rejected, match=r"check api_url and the token") as caught:
        get(dead_url(), headers={"Authorization": f"Bearer {CANARY}\n"})
    assert CANARY not in str(caught.value)


@pytest.mark.parametrize("status", [302, 401, 403, 429, 500, 503])
@pytest.mark.parametrize("move", [FIN, RST, SILENCE])
def test_a_refusal_counts_even_if_its_text_breaks(fake: Fake, status: int, move: Piece) -> None:
    """The status of a refusal is not lost for a body that never comes whole."""
    fake.script[PATH] = [Answer(status, {"Retry-After": "7"}, (b'{"mess', move))]
    with within(SOON):
        answer = get(fake.url, deadline=0.3)
    assert (answer.status, answer.headers["retry-after"], answer.body) == (status, "7", b"")


# Time


@pytest.mark.parametrize(
    "step",
    [
        SILENCE,
        LONG.but(drip=0.01),
        Answer(body=dripped([BODY], 0.01)),
        Answer(body=dripped([BODY], 0.01), framing="chunked"),
        Answer(body=dripped([BODY], 0.01), framing="close"),
        (b"HTTP/1.1 100 Continue\r\n\r\n", 0.02) * 100,
        Answer(body=(b"[]",), framing="chunked", stop=SILENCE, at=b"0\r\n"),
    ],
    ids=["silence", "headers", "length", "chunked", "close", "continue", "trailer"],
)
def test_a_deadline_holds_however_the_answer_drips(fake: Fake, step: Step) -> None:
    """A call ends at its deadline though every single read is quick, and says so."""
    fake.script[PATH] = [step]
    with within(SOON), pytest.raises(Unavailable, match=r"^list: no complete response within 0\.2 seconds$"):
        get(fake.url, deadline=0.2)


def test_a_deadline_holds_in_a_tls_handshake(fake: Fake) -> None:
    """A server that never shakes hands cannot hold a call beyond its deadline."""
    fake.script["connect"] = [SILENCE]
    with within(SOON), pytest.raises(Unavailable, match=r"within 0.2 seconds"):
        get(fake.url.replace("http:", "https:"), deadline=0.2)


def test_a_deadline_holds_while_connecting(full_house: str) -> None:
    """A host that drops packets cannot hold a call beyond its deadline."""
    with within(SOON), pytest.raises(Unavailable, match=r"within 0.2 seconds"):
        get(full_house, deadline=0.2)


def test_a_stream_outlives_the_deadline_of_its_opening(fake: Fake) -> None:
    """Once a stream is read, only silence ends it."""
    fake.script[PATH] = [STREAM.but(body=(HEARTBEAT, 0.3, b"late", END, FIN))]
    received, _ = end_of(opened(fake.url, deadline=0.1))
    assert received == HEARTBEAT + b"late"


@pytest.mark.parametrize("read_timeout", [2**32 / 1000, 365 * 86_400.0])
def test_the_longest_timeouts_can_be_had(fake: Fake, read_timeout: float) -> None:
    """A timeout beyond what a socket can count is a long one, not none at all."""
    fake.script[PATH] = [STREAM.but(body=(0.1, b"x"))]
    assert end_of(opened(fake.url, read_timeout=read_timeout))[0] == b"x"


# Size


@pytest.mark.parametrize("status", [200, 302, 500])
@pytest.mark.parametrize(
    "answer",
    [
        Answer(body=bomb(256 << 20), headers={"Content-Encoding": "gzip"}),
        Answer(body=itertools.repeat(b"x" * (1 << 16)), framing="chunked"),
        Answer(body=itertools.repeat(b"x" * (1 << 16)), framing="close"),
        Answer(body=itertools.repeat(b"x" * (1 << 16))),
    ],
    ids=["bomb", "chunked", "close", "length"],
)
def test_no_body_is_read_beyond_its_limit(
    fake: Fake, monkeypatch: pytest.MonkeyPatch, answer: Answer, status: int
) -> None:
    """Neither an endless body nor a gzip bomb costs more memory than the limit explains."""
    monkeypatch.setattr("pf_exporter.packetfabric.response.MAX_BODY_BYTES", 1 << 20)
    location = {"Location": "/elsewhere"} if status == 302 else {}
    fake.script[PATH] = [answer.but(status=status, headers={**answer.headers, **location})]
    tracemalloc.start()
    try:
        with within(5):
            if status == 200:
                with pytest.raises(Rejected, match=r"^list: the response is larger than 1 MiB$"):
                    get(fake.url)
            else:
                assert len(get(fake.url).body) == 1 << 16
        assert tracemalloc.get_traced_memory()[1] < 12 << 20
    finally:
        tracemalloc.stop()


# Ending from another thread


def ended_by(end: Callable[[], None], ready: Callable[[], None], work: Callable[[], object]) -> ExporterError:
    """The error by which ``work``, waiting in a thread of its own, ends when another thread wants it to."""
    with ThreadPoolExecutor(1) as pool:
        future = pool.submit(work)
        ready()
        with within(SOON):
            end()
            exc = future.exception(10)
    assert isinstance(exc, ExporterError)
    return exc


def test_abort_while_connecting(full_house: str) -> None:
    """A stop does not wait for a host that drops packets."""
    client = Transport(full_house, {})
    exc = ended_by(client.abort, lambda: time.sleep(0.1), lambda: client.call(Request("login", "POST", PATH)))
    assert str(exc) == "login: the exporter is stopping"


def test_abort_in_a_tls_handshake(fake: Fake) -> None:
    """A stop does not wait for a handshake."""
    fake.script["connect"] = [SILENCE]
    client = Transport(fake.url.replace("http:", "https:"), {})
    exc = ended_by(
        client.abort,
        lambda: fake.wait_for(lambda: fake.connections),
        lambda: client.call(Request("login", "POST", PATH)),
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
    """A call that waits, wherever it waits, ends at once, and never with half an answer."""
    ca_file, context = certificate(tmp_path) if secure else (None, None)
    with Fake(tls=context) as fake:
        fake.script[PATH] = [step]
        client = Transport(fake.url, {}, ca_file=ca_file)
        exc = ended_by(
            client.abort,
            lambda: fake.wait_for(lambda: fake.of(PATH)),
            lambda: client.call(Request("list", "GET", PATH)),
        )
        assert str(exc) == "list: the exporter is stopping"


@pytest.mark.parametrize("framing", ["chunked", "length", "close"])
@pytest.mark.parametrize("secure", [False, True], ids=["plain", "tls"])
@pytest.mark.parametrize("how", ["abort", "shutdown"])
def test_a_stream_is_ended_by_another_thread(tmp_path: Path, framing: str, secure: bool, how: str) -> None:
    """A blocked read ends at once as StreamEnded, and close() by the reader, twice even, does not raise."""
    ca_file, context = certificate(tmp_path) if secure else (None, None)
    with Fake(tls=context, heartbeat=60) as fake:
        fake.script[PATH] = [STREAM.but(framing=framing)]
        client = Transport(fake.url, {}, ca_file=ca_file)
        stream = client.open(Request("stream", "GET", PATH))
        chunks = stream.chunks()
        assert next(chunks) == HEARTBEAT
        exc = ended_by(
            client.abort if how == "abort" else stream.shutdown,
            lambda: fake.wait_for(lambda: fake.streams),
            lambda: next(chunks),
        )
        assert type(exc) is StreamEnded
        stream.close()
        stream.close()
        stream.shutdown()
        fake.wait_for(lambda: not fake.connections)


def test_shutdown_ends_one_stream_only(fake: Fake) -> None:
    """Two streams of one transport have nothing to do with each other's end."""
    fake.script[PATH] = itertools.repeat(STREAM)
    client = Transport(fake.url, {})
    one, two = (client.open(Request("stream", "GET", PATH)) for _ in range(2))
    chunks = two.chunks()
    assert next(chunks) == HEARTBEAT
    fake.wait_for(lambda: len(fake.streams) == 2)
    one.shutdown()
    assert isinstance(end_of(one)[1], StreamEnded)
    fake.wait_for(lambda: len(fake.streams) == 1)
    fake.send(b"still here")
    assert next(chunks) == b"still here"
    two.close()


def test_shutdown_and_close_race(fake: Fake) -> None:
    """A shutdown that meets a close, at whatever moment, neither raises nor leaves anything behind."""
    fake.script[PATH] = itertools.repeat(STREAM)
    both = threading.Barrier(2)

    def together(end: Callable[[], None]) -> None:
        both.wait(5)
        end()

    with ThreadPoolExecutor(2) as pool:
        for _ in range(50):
            stream = opened(fake.url)
            ends = [pool.submit(together, end) for end in (stream.shutdown, stream.close)]
            assert all(future.exception(5) is None for future in ends)
    fake.wait_for(lambda: not fake.connections)


def test_after_an_abort_only_a_farewell_goes_out(fake: Fake) -> None:
    """An aborted transport refuses a request without so much as connecting, but lets the logout through."""
    fake.script[PATH] = itertools.repeat(Answer(body=b"[]"))
    client = Transport(fake.url, {})
    client.abort()
    for _ in range(3):
        with pytest.raises(Unavailable, match=r"^list: the exporter is stopping$"):
            client.call(Request("list", "GET", PATH))
    assert client.call(Request("logout", "GET", PATH, allow_after_abort=True)).status == 200
    assert len(fake.requests) == 1


# Streams


@pytest.mark.parametrize("framing", ["chunked", "length", "close"])
def test_bytes_are_handed_on_as_they_come(fake: Fake, framing: str) -> None:
    """No piece waits for the next one, whatever the framing: each is sent only when the last is here."""
    fake.script[PATH] = [STREAM.but(framing=framing, body=(LIVE,))]
    stream = opened(fake.url, read_timeout=5)
    chunks = stream.chunks()
    fake.wait_for(lambda: fake.streams)
    for size in (1, 3, 1000, 60_000):
        piece, received = b"x" * size, b""
        fake.send(piece)
        while len(received) < size:
            received += next(chunks)
        assert received == piece
    stream.close()


def test_silence_is_told_from_a_break(fake: Fake) -> None:
    """A stream without a byte for too long is StreamIdle."""
    fake.script[PATH] = [STREAM.but(body=(HEARTBEAT, SILENCE))]
    with within(SOON):
        received, error = end_of(opened(fake.url, read_timeout=0.1))
    assert (received, type(error)) == (HEARTBEAT, StreamIdle)


EVENT = 'event: x\ndata: {"é": 1}\n\n'.encode()


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (STREAM.but(body=(EVENT,)), StreamEnded),
        (STREAM.but(body=(EVENT,), framing="close"), StreamEnded),
        (
            STREAM.but(body=(EVENT,), framing="length", headers={"Content-Length": str(len(EVENT))}),
            StreamEnded,
        ),
        (STREAM.but(body=(EVENT, FIN)), StreamBroken),
        (STREAM.but(body=(EVENT, 0.1, RST)), StreamBroken),
        (STREAM.but(body=(EVENT, FIN), framing="length"), StreamBroken),
        (STREAM.but(body=(EVENT, 0.1, RST), framing="close"), StreamBroken),
        (STREAM.but(body=(EVENT, b"more"), stop=FIN, at=b"mo"), StreamBroken),
        (
            STREAM.but(body=(EVENT, EVENT), stop=FIN, at=EVENT + b"\r\n%x\r\n" % len(EVENT) + EVENT[:18]),
            StreamBroken,
        ),
    ],
)
def test_how_a_stream_ends(fake: Fake, answer: Answer, error: type[StreamError]) -> None:
    """An orderly end is told from a break, and what came before either is not lost."""
    fake.script[PATH] = [answer]
    received, ended = end_of(opened(fake.url))
    assert (received[: len(EVENT)], type(ended)) == (EVENT, error)


# What never leaves, and what is never followed


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize(
    "location", ["{}/v2/ports", "//[::1", "/\xff\xfe", "http://", "", "file:///etc/passwd"]
)
def test_redirects_are_not_followed(fake: Fake, status: int, location: str) -> None:
    """A redirect to another port brings nothing there, and no target, however odd, does harm."""
    with Fake() as recorder:
        fake.script[PATH] = [Answer(status, {"Location": location.format(recorder.url)})]
        answer = Transport(fake.url, {}).call(Request("login", "POST", PATH, body={"password": CANARY}))
        assert answer.status == status
        assert (recorder.requests, len(fake.requests)) == ([], 1)


def test_the_environment_has_no_say(fake: Fake, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Neither .netrc nor a proxy in the environment touches a request."""
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
        assert get(fake.url).status == 200
        assert recorder.connections == set()
        assert recorder.requests == []
    assert fake.requests[0].headers["authorization"] == "Bearer key"


@pytest.mark.parametrize(
    ("name", "days", "said"),
    [("127.0.0.1", 1, "self"), ("127.0.0.2", 1, "IP address mismatch"), ("127.0.0.1", -1, "expired")],
)
def test_only_what_is_trusted_is_trusted(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, name: str, days: int, said: str
) -> None:
    """An unknown, wrong or expired certificate is refused, and no environment variable changes that."""
    path, context = certificate(tmp_path, name, days=days)
    for variable in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
        monkeypatch.setenv(variable, path)
    with Fake(tls=context) as fake:
        with pytest.raises(Unavailable, match=f"the server's certificate is not trusted: .*{said}"):
            get(fake.url, ca_file=None if said == "self" else path)
        assert fake.requests == []


def test_ca_file(tmp_path: Path) -> None:
    """The account's own CA file is trusted; one that vanished is named as the culprit."""
    path, context = certificate(tmp_path)
    with Fake(tls=context) as fake:
        assert get(fake.url, ca_file=path).status == 200
        Path(path).unlink()
        with pytest.raises(Unavailable, match=r"^list: ca_file cannot be read: No such file"):
            get(fake.url, ca_file=path)


def test_https_to_a_plain_port(fake: Fake) -> None:
    """TLS with a server that speaks none is an error of TLS."""
    fake.script["connect"] = [(b"HTTP/1.1 400 Bad Request\r\n\r\n", FIN)]
    with pytest.raises(Unavailable, match=r"^list: TLS failed: the server does not speak TLS on this port"):
        get(fake.url.replace("http:", "https:"))
