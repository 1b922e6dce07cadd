"""The reader of an account's stream: subscription, rotation, processing and deduplication of events.

Writes to the store; knows nothing of Prometheus.
"""

from __future__ import annotations

from pf_exporter.stream.processor import EventProcessor
from pf_exporter.stream.reader import StreamReader
from pf_exporter.stream.subscription import Subscription

__all__ = [
    "EventProcessor",
    "StreamReader",
    "Subscription",
]
