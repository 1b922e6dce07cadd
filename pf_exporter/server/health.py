"""The paths of health probes, and the body of the health page, for servers and the ``health`` command."""

from __future__ import annotations

HEALTH_PATH = "/-/healthy"
READY_PATH = "/-/ready"

HEALTHY = "Healthy."
"""The body of the response of a healthy exporter, without its newline."""
