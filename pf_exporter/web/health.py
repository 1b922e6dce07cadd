"""The health page's path and body, shared by the server and the ``health`` command."""

from __future__ import annotations

HEALTH_PATH = "/-/healthy"

HEALTHY = "Healthy."
"""The body of the response of a healthy exporter, without its newline."""
