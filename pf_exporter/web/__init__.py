"""The pages: metrics, status, health, readiness and reload.

They read the state and change nothing, except that a POST to ``/-/reload`` reloads the configuration.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pf_exporter.lazy import lazy_names

if TYPE_CHECKING:
    from pf_exporter.web.app import create_app
    from pf_exporter.web.routes import page_routes
    from pf_exporter.web.sources import StatusSources
else:  # Need starlette and prometheus_client.
    __getattr__ = lazy_names(
        __name__,
        {
            "app": ("create_app",),
            "routes": ("page_routes",),
            "sources": ("StatusSources",),
        },
    )

__all__ = [
    "StatusSources",
    "create_app",
    "page_routes",
]
