"""The faults the exporter has to live through, phase by phase; also printed in docs/reliability.md."""

from __future__ import annotations

from dataclasses import dataclass

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
    """What goes wrong once, where, and the reason under which it is counted."""

    phase: str
    what: str
    """For people: what the other side does."""
    step: Step
    reason: str
    logins: int = 1
    """How many logins there are until a stream is open again, the first included."""
    bundles: int = 1
    """How many bundles have been made by then."""

    @property
    def script(self) -> str:
        """The phase in which the fake has to be told."""
        return "open" if self.phase == "stream" else self.phase


def _everywhere(what: str, step: Step, reason: str) -> list[Fault]:
    """A fault that hits login, subscription and the opening of the stream alike."""
    return [
        Fault("login", what, step, reason, logins=2),
        Fault("subscribe", what, step, reason),
        Fault("open", what, step, reason),
    ]


def _status(status: int, reason: str, *, renews: str = "") -> list[Fault]:
    """An HTTP status in each phase; what it makes be done again is in ``renews``."""
    answer = Answer(status, {"Retry-After": "0"}, b'{"message": "no"}')
    return [
        Fault("login", f"answers HTTP {status}", answer, reason, logins=2),
        Fault("subscribe", f"answers HTTP {status}", answer, reason, logins=1 + ("login" in renews)),
        Fault(
            "open",
            f"answers HTTP {status}",
            answer,
            "subscription_gone" if status in (404, 410) else reason,
            logins=1 + ("login" in renews),
            bundles=1 + bool(renews),
        ),
    ]


MATRIX: tuple[Fault, ...] = (
    Fault("connect", "closes the connection", FIN, "unavailable", logins=2),
    Fault("connect", "resets the connection", RST, "unavailable", logins=2),
    Fault(
        "connect",
        "sends a protocol other than HTTP",
        (b"SSH-2.0-OpenSSH_9.2\r\n", FIN),
        "unavailable",
        logins=2,
    ),
    *_everywhere("closes the connection without an answer", FIN, "unavailable"),
    *_everywhere("resets the connection without an answer", RST, "unavailable"),
    # http.client takes what there is of the headers for all of them.
    Fault("login", "ends inside the headers", CUT_HEADERS, "rejected", logins=2),
    Fault("subscribe", "ends inside the headers", CUT_HEADERS, "rejected"),
    Fault("open", "ends inside the headers", CUT_HEADERS, "not_an_event_stream"),
    *_status(400, "rejected", renews="bundle"),
    *_status(401, "unauthorized", renews="login, bundle"),
    *_status(403, "forbidden", renews="login, bundle"),
    *_status(404, "rejected", renews="bundle"),
    *_status(410, "rejected", renews="bundle"),
    *_status(429, "rate_limited"),
    *_status(500, "unavailable"),
    *_status(503, "unavailable"),
    *(
        Fault(
            phase,
            "redirects to another URL",
            Answer(307, {"Location": "/elsewhere"}),
            "rejected",
            logins,
            bundles,
        )
        for phase, logins, bundles in (("login", 2, 1), ("subscribe", 1, 1), ("open", 1, 2))
    ),
    Fault("login", "answers with a web page", Answer(200, {}, b"<html>"), "rejected", logins=2),
    Fault("login", "answers without a token", Answer(200, {}, b"{}"), "rejected", logins=2),
    Fault(
        "login", "requires a second factor", Answer(200, {}, b'{"mfa_required": true}'), "login_incomplete", 2
    ),
    Fault(
        "login",
        "answers with a gzip bomb",
        Answer(200, {"Content-Encoding": "gzip"}, bomb(64 << 20)),
        "rejected",
        logins=2,
    ),
    Fault("subscribe", "answers without a subscription", Answer(201, {}, b"{}"), "rejected"),
    Fault("subscribe", "answers 200 instead of 201", Answer(200, {}, b"{}"), "rejected"),
    Fault("open", "answers 204", Answer(204), "not_an_event_stream"),
    Fault(
        "open",
        "answers with a web page",
        Answer(200, {"Content-Type": "text/html"}, b"<html>"),
        "not_an_event_stream",
    ),
    Fault(
        "open",
        "compresses the stream",
        Answer(200, {"Content-Type": "text/event-stream", "Content-Encoding": "gzip"}, b"\x1f\x8b"),
        "not_an_event_stream",
    ),
    Fault("stream", "ends the stream properly", STREAM.but(body=(SAMPLE,)), "ended"),
    Fault("stream", "ends the stream before the first byte", STREAM.but(body=()), "ended"),
    Fault("stream", "ends the stream inside an event", STREAM.but(body=(SAMPLE, SAMPLE[:40])), "ended"),
    Fault("stream", "closes the connection", STREAM.but(body=(SAMPLE, FIN)), "broken"),
    Fault(
        "stream",
        "closes the connection inside a chunk",
        STREAM.but(body=(SAMPLE,), stop=FIN, at=SAMPLE[:40]),
        "broken",
    ),
    Fault("stream", "resets the connection", STREAM.but(body=(SAMPLE, RST)), "broken"),
    Fault(
        "stream",
        "resets the connection inside an event",
        STREAM.but(body=(SAMPLE,), stop=RST, at=b"bytes_rx"),
        "broken",
    ),
    Fault(
        "stream",
        "closes the connection inside a character",
        STREAM.but(body=(UMLAUT,), stop=FIN, at=b"LAX1-\xc3"),
        "broken",
    ),
    Fault(
        "stream",
        "closes a stream that has no HTTP framing",
        STREAM.but(body=(SAMPLE, SAMPLE[:40]), framing="close"),
        "ended",
    ),
    Fault("stream", "sends a chunk without a valid size", (CHUNKED, b"zz\r\n", SILENCE), "broken"),
    Fault("stream", "sends an endless chunk size", (CHUNKED, b"1" * (1 << 17), SILENCE), "broken"),
    Fault("stream", "sends nothing after an event", STREAM.but(body=(SAMPLE, SILENCE)), "idle"),
    Fault(
        "stream", "sends an endless chunk size byte by byte", (CHUNKED, *dripped((b"0" * 400,), 0.01)), "idle"
    ),
    Fault("stream", "sends nothing", STREAM.but(body=(SILENCE,)), "idle"),
)
