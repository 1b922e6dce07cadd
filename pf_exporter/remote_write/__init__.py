"""Sends every event as samples to receivers of Prometheus remote write, with a queue or a spool for outages.

Rows come from the store as they are written, and never wait: two threads for each endpoint encode and send
them. Nothing of this package is imported unless an endpoint is configured.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pf_exporter.lazy import lazy_names

if TYPE_CHECKING:
    from pf_exporter.remote_write.endpoint import Endpoint
    from pf_exporter.remote_write.outcome import Verdict
    from pf_exporter.remote_write.probe import probe_endpoint
    from pf_exporter.remote_write.remote_write import RemoteWrite, SampleSource
else:  # Imports cramjam.
    __getattr__ = lazy_names(
        __name__,
        {
            "endpoint": ("Endpoint",),
            "remote_write": ("RemoteWrite", "SampleSource"),
            "outcome": ("Verdict",),
            "probe": ("probe_endpoint",),
        },
    )

__all__ = [
    "Endpoint",
    "RemoteWrite",
    "SampleSource",
    "Verdict",
    "probe_endpoint",
]
