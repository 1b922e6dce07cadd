"""What the response to a request means for the samples in it."""

from __future__ import annotations

import enum
import time
from typing import NamedTuple

from pf_exporter.packetfabric import retry_after
from pf_exporter.remote_write.receiver import Response

MESSAGE_LENGTH = 200
"""Characters of the receiver's message that are shown."""


class Verdict(enum.Enum):
    """What to do next with the samples of a request."""

    DELIVERED = "the receiver took them"
    RETRY = "send the same request again later"
    SPLIT = "send them in two requests: at least one of them is refused, or they are too many"


class Outcome(NamedTuple):
    """The meaning of a response."""

    verdict: Verdict
    problem: str = ""
    """What is wrong, with a hint; empty if nothing is."""
    wait: float | None = None
    """Seconds that the receiver asks to wait; None if it does not."""


HINTS = {
    401: "check the credentials",
    403: "check the credentials and their permission to write",
    404: "check the path of url; Prometheus needs --web.enable-remote-write-receiver",
    405: "check the path of url",
    407: "a proxy asks for credentials",
    408: "the receiver is too slow",
    415: "the receiver does not accept remote write 1.0",
    429: "the receiver limits the rate",
}
"""Statuses below 500 that concern the endpoint and not the samples, and what to do."""


def _message(response: Response) -> str:
    """Return the first line of the receiver's text, made safe for a log line; nothing of a web page."""
    if response.headers.get("content-type", "").startswith("text/html"):
        return ""
    lines = response.body.decode(errors="replace").strip().splitlines()
    text = "".join(char for char in (lines[0] if lines else "")[:MESSAGE_LENGTH] if char.isprintable())
    return f' ("{text}")' if text else ""


def judge(response: Response) -> Outcome:
    """Return the meaning of a response.

    A response below 500 that does not concern the endpoint concerns the samples: one of them is too old, is
    out of order, or breaks a limit. Everything else may pass, so that the samples are kept.
    """
    status = response.status
    wait = retry_after(response.headers.get("retry-after"), time.time())
    if 200 <= status < 300:
        if response.headers.get("content-type", "").startswith("text/html"):
            return Outcome(Verdict.RETRY, "the response is a web page; check url", wait)
        return Outcome(Verdict.DELIVERED)
    problem = f"HTTP {status}{_message(response)}"
    if status in HINTS:
        return Outcome(Verdict.RETRY, f"{problem}; {HINTS[status]}", wait)
    if 300 <= status < 400:
        return Outcome(Verdict.RETRY, f"{problem}; redirects are not followed, check url", wait)
    if 400 <= status < 500:
        return Outcome(Verdict.SPLIT, problem)
    return Outcome(Verdict.RETRY, problem, wait)
