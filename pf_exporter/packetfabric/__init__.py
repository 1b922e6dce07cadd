"""The client of PacketFabric's API: session, requests, server-sent events, backoff.

The only package that imports requests, urllib3 and sseclient. Knows nothing of Prometheus.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pf_exporter.lazy import lazy_names
from pf_exporter.packetfabric.backoff import Backoff
from pf_exporter.packetfabric.request import CALL_DEADLINE, Request
from pf_exporter.packetfabric.session_stats import CredentialState, SessionStats

if TYPE_CHECKING:
    from pf_exporter.packetfabric.client import Client, Session
    from pf_exporter.packetfabric.response import StreamingResponse
    from pf_exporter.packetfabric.session import SessionManager
    from pf_exporter.packetfabric.sse import MAX_EVENT_BYTES, ServerSentEvent, read_events
    from pf_exporter.packetfabric.status_errors import retry_after
    from pf_exporter.packetfabric.transport import Transport
    from pf_exporter.packetfabric.transport_errors import failure_cause
    from pf_exporter.packetfabric.tunnel import connect_through
else:
    __getattr__ = lazy_names(
        __name__,
        {
            "sse": ("MAX_EVENT_BYTES", "ServerSentEvent", "read_events"),
            "client": ("Client", "Session"),
            "session": ("SessionManager",),
            "response": ("StreamingResponse",),
            "transport": ("Transport",),
            "transport_errors": ("failure_cause",),
            "tunnel": ("connect_through",),
            "status_errors": ("retry_after",),
        },
    )

__all__ = [
    "CALL_DEADLINE",
    "MAX_EVENT_BYTES",
    "Backoff",
    "Client",
    "CredentialState",
    "Request",
    "ServerSentEvent",
    "Session",
    "SessionManager",
    "SessionStats",
    "StreamingResponse",
    "Transport",
    "connect_through",
    "failure_cause",
    "read_events",
    "retry_after",
]
