"""The faults that the exporter has to survive, by phase; docs/reliability.md lists them."""

from __future__ import annotations

from dataclasses import dataclass

from pf_exporter.reason import Reason
from tests.fakes import FIN, RST, SILENCE, STREAM, Answer, Step, bomb, dripped, event

SAMPLE = event(
    "port|metrics",
    {"timestamp": "2021-09-22T20:34:30+00:00", "port_circuit_id": "PF-AP-LAX1-1", "bytes_rx_total": 1},
)
UMLAUT = event("port|metrics", {"port_circuit_id": "PF-AP-LAX1-ü", "bytes_rx_total": 1})
CHUNKED = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
CUT_HEADERS = (b"HTTP/1.1 200 OK\r\nContent-Ty", FIN)
PHASES = ("connect", "login", "subscribe", "open", "stream")


@dataclass(frozen=True)
class Fault:
    """One fault, where it happens, and the reason under which it is counted."""

    phase: str
    what: str
    """What the server does, for the documentation."""
    step: Step
    reason: Reason
    logins: int = 1
    """Logins until a stream is open again, including the first."""
    subscriptions: int = 1
    """Subscriptions made by then."""

    @property
    def script(self) -> str:
        """The phase of the fake's script that it belongs to."""
        return "open" if self.phase == "stream" else self.phase


def _everywhere(what: str, step: Step, reason: Reason) -> list[Fault]:
    """A fault of login, subscription and stream request alike."""
    return [
        Fault("login", what, step, reason, logins=2),
        Fault("subscribe", what, step, reason),
        Fault("open", what, step, reason),
    ]


def _status(status: int, reason: Reason, *, renews: str = "") -> list[Fault]:
    """An HTTP status in each phase; ``renews`` names what the exporter replaces after it."""
    answer = Answer(status, {"Retry-After": "0"}, b'{"message": "no"}')
    return [
        Fault("login", f"answers HTTP {status}", answer, reason, logins=2),
        Fault("subscribe", f"answers HTTP {status}", answer, reason, logins=1 + ("login" in renews)),
        Fault(
            "open",
            f"answers HTTP {status}",
            answer,
            Reason.SUBSCRIPTION_GONE if status in (404, 410) else reason,
            logins=1 + ("login" in renews),
            subscriptions=1 + bool(renews),
        ),
    ]


MATRIX: tuple[Fault, ...] = (
    Fault("connect", "closes the connection", FIN, Reason.UNAVAILABLE, logins=2),
    Fault("connect", "resets the connection", RST, Reason.UNAVAILABLE, logins=2),
    Fault(
        "connect",
        "sends a protocol other than HTTP",
        (b"SSH-2.0-OpenSSH_9.2\r\n", FIN),
        Reason.UNAVAILABLE,
        logins=2,
    ),
    *_everywhere("closes the connection without an answer", FIN, Reason.UNAVAILABLE),
    *_everywhere("resets the connection without an answer", RST, Reason.UNAVAILABLE),
    # http.client treats incomplete headers as complete.
    Fault("login", "ends inside the headers", CUT_HEADERS, Reason.REJECTED, logins=2),
    Fault("subscribe", "ends inside the headers", CUT_HEADERS, Reason.REJECTED),
    Fault("open", "ends inside the headers", CUT_HEADERS, Reason.NOT_AN_EVENT_STREAM),
    *_status(400, Reason.REJECTED, renews="subscription"),
    *_status(401, Reason.UNAUTHORIZED, renews="login, subscription"),
    *_status(403, Reason.FORBIDDEN, renews="login, subscription"),
    *_status(404, Reason.REJECTED, renews="subscription"),
    *_status(410, Reason.REJECTED, renews="subscription"),
    *_status(429, Reason.RATE_LIMITED),
    *_status(500, Reason.UNAVAILABLE),
    *_status(503, Reason.UNAVAILABLE),
    *(
        Fault(
            phase,
            "redirects to another URL",
            Answer(307, {"Location": "/elsewhere"}),
            Reason.REJECTED,
            logins,
            subscriptions,
        )
        for phase, logins, subscriptions in (("login", 2, 1), ("subscribe", 1, 1), ("open", 1, 2))
    ),
    Fault("login", "answers with a web page", Answer(200, {}, b"<html>"), Reason.REJECTED, logins=2),
    Fault("login", "answers without a token", Answer(200, {}, b"{}"), Reason.REJECTED, logins=2),
    Fault(
        "login",
        "requires a second factor",
        Answer(200, {}, b'{"mfa_required": true}'),
        Reason.LOGIN_INCOMPLETE,
        2,
    ),
    Fault(
        "login",
        "answers with a gzip bomb",
        Answer(200, {"Content-Encoding": "gzip"}, bomb(64 << 20)),
        Reason.REJECTED,
        logins=2,
    ),
    Fault("subscribe", "answers without a subscription", Answer(201, {}, b"{}"), Reason.REJECTED),
    Fault("subscribe", "answers 200 instead of 201", Answer(200, {}, b"{}"), Reason.REJECTED),
    Fault("open", "answers 204", Answer(204), Reason.NOT_AN_EVENT_STREAM),
    Fault(
        "open",
        "answers with a web page",
        Answer(200, {"Content-Type": "text/html"}, b"<html>"),
        Reason.NOT_AN_EVENT_STREAM,
    ),
    Fault(
        "open",
        "compresses the stream",
        Answer(200, {"Content-Type": "text/event-stream", "Content-Encoding": "gzip"}, b"\x1f\x8b"),
        Reason.NOT_AN_EVENT_STREAM,
    ),
    Fault("stream", "ends the stream properly", STREAM.but(body=(SAMPLE,)), Reason.ENDED),
    Fault("stream", "ends the stream before the first byte", STREAM.but(body=()), Reason.ENDED),
    Fault("stream", "ends the stream inside an event", STREAM.but(body=(SAMPLE, SAMPLE[:40])), Reason.ENDED),
    Fault("stream", "closes the connection", STREAM.but(body=(SAMPLE, FIN)), Reason.BROKEN),
    Fault(
        "stream",
        "closes the connection inside a chunk",
        STREAM.but(body=(SAMPLE,), stop=FIN, at=SAMPLE[:40]),
        Reason.BROKEN,
    ),
    Fault("stream", "resets the connection", STREAM.but(body=(SAMPLE, RST)), Reason.BROKEN),
    Fault(
        "stream",
        "resets the connection inside an event",
        STREAM.but(body=(SAMPLE,), stop=RST, at=b"bytes_rx"),
        Reason.BROKEN,
    ),
    Fault(
        "stream",
        "closes the connection inside a character",
        STREAM.but(body=(UMLAUT,), stop=FIN, at=b"LAX1-\xc3"),
        Reason.BROKEN,
    ),
    Fault(
        "stream",
        "closes a stream that has no HTTP framing",
        STREAM.but(body=(SAMPLE, SAMPLE[:40]), framing="close"),
        Reason.ENDED,
    ),
    Fault("stream", "sends a chunk without a valid size", (CHUNKED, b"zz\r\n", SILENCE), Reason.BROKEN),
    Fault("stream", "sends an endless chunk size", (CHUNKED, b"1" * (1 << 17), SILENCE), Reason.BROKEN),
    Fault("stream", "sends nothing after an event", STREAM.but(body=(SAMPLE, SILENCE)), Reason.IDLE),
    Fault(
        "stream",
        "sends an endless chunk size byte by byte",
        (CHUNKED, *dripped((b"0" * 400,), 0.01)),
        Reason.IDLE,
    ),
    Fault("stream", "sends nothing", STREAM.but(body=(SILENCE,)), Reason.IDLE),
)
