"""The reader of an account's stream: subscription, rotation, deduplication and processing of events.

Events go to an :class:`EventSink`; the one of the exporter writes to the store. Knows nothing of Prometheus.
"""

from __future__ import annotations

from pf_exporter.stream.deduplicator import Deduplicator
from pf_exporter.stream.event_sink import EventSink
from pf_exporter.stream.processor import EventProcessor
from pf_exporter.stream.reader import StreamReader
from pf_exporter.stream.subscription import Subscription

__all__ = [
    "Deduplicator",
    "EventProcessor",
    "EventSink",
    "StreamReader",
    "Subscription",
]
