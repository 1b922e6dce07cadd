"""An HTTP server fit to be exposed: TLS, users, limits and Prometheus' web configuration file.

It serves any ASGI application, and knows nothing of PacketFabric.
"""

from __future__ import annotations

from pf_exporter.server.middleware import guard
from pf_exporter.server.reloader import WebConfigReloader
from pf_exporter.server.server import Server

__all__ = [
    "Server",
    "WebConfigReloader",
    "guard",
]
