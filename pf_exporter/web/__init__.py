"""The pages: metrics, status, health, readiness and reload."""

from __future__ import annotations

from pf_exporter.web.app import HEALTHY, create_app
from pf_exporter.web.routes import page_routes
from pf_exporter.web.status import StatusContext

__all__ = [
    "HEALTHY",
    "StatusContext",
    "create_app",
    "page_routes",
]
