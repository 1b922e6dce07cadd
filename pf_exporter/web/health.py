"""The health page, for the server that serves it and the command that asks for it."""

from __future__ import annotations

HEALTH_PATH = "/-/healthy"

HEALTHY = "Healthy."
"""The body of a healthy exporter's answer, without its newline."""
