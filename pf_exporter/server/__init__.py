"""An HTTP server fit to be exposed: TLS, users, limits and Prometheus' web configuration file.

It serves any ASGI application and does not depend on PacketFabric.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pf_exporter.lazy import lazy_names
from pf_exporter.server.health import HEALTH_PATH, HEALTHY, READY_PATH

if TYPE_CHECKING:
    from pf_exporter.server.connections import raise_descriptor_limit
    from pf_exporter.server.middleware import guard
    from pf_exporter.server.reloader import WebConfigReloader, check_web_config
    from pf_exporter.server.server import Server
else:  # Need starlette, uvicorn and PyYAML.
    __getattr__ = lazy_names(
        __name__,
        {
            "reloader": ("check_web_config", "WebConfigReloader"),
            "middleware": ("guard",),
            "connections": ("raise_descriptor_limit",),
            "server": ("Server",),
        },
    )

__all__ = [
    "HEALTHY",
    "HEALTH_PATH",
    "READY_PATH",
    "Server",
    "WebConfigReloader",
    "check_web_config",
    "guard",
    "raise_descriptor_limit",
]
