"""A request to the API: what is sent, and how long it may take."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

Headers = Mapping[str, "str | bytes"]

CONNECT_TIMEOUT = 10.0
"""Seconds for a TCP connection to one address, and again for each step of a TLS handshake."""
CALL_DEADLINE = 30.0
"""Seconds for a request and its whole response, without the DNS lookup."""
MAX_READ_TIMEOUT = 86_400.0
"""Seconds. A socket keeps the milliseconds of its timeout in 32 bits, so that 50 days would become 0."""


@dataclass(frozen=True)
class Request:
    """One request; its ``repr`` shows no header, query or body, which may hold credentials."""

    operation: str
    """Starts the message of every error."""
    method: str
    path: str
    headers: Headers = field(repr=False, default_factory=dict)
    body: Mapping[str, Any] | None = field(repr=False, default=None)
    """Sent as JSON."""
    query: Mapping[str, str] | None = field(repr=False, default=None)
    deadline: float = CALL_DEADLINE
    """Seconds for the request and its whole response, or for the headers of a stream."""
    read_timeout: float = CALL_DEADLINE
    """Seconds for which the body of a stream may pause."""
    allow_after_abort: bool = False
    """Whether it may still be sent after :meth:`Transport.abort`."""

    @property
    def timeouts(self) -> tuple[float, float]:
        """Seconds to connect, and between two reads, as requests takes them."""
        return CONNECT_TIMEOUT, min(self.read_timeout, MAX_READ_TIMEOUT)
