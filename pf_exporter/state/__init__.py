"""The latest observation of each circuit, and the statistics of each account.

Everything is in memory; nothing here performs I/O.
"""

from __future__ import annotations

from pf_exporter.state.gaps import Gap
from pf_exporter.state.history import ErrorLog, ErrorRecord
from pf_exporter.state.rate_evidence import DetectedRates, Fit
from pf_exporter.state.row_sink import RowSink
from pf_exporter.state.stats import LAG_BUCKETS, AccountStats, CatchUpResult, LabelValues, StreamState
from pf_exporter.state.store import KEPT, RESET, Store, WriteResult
from pf_exporter.state.table import Row
from pf_exporter.state.temporality_detector import EVENT_SETTINGS, DetectedTemporality

__all__ = [
    "EVENT_SETTINGS",
    "KEPT",
    "LAG_BUCKETS",
    "RESET",
    "AccountStats",
    "CatchUpResult",
    "DetectedRates",
    "DetectedTemporality",
    "ErrorLog",
    "ErrorRecord",
    "Fit",
    "Gap",
    "LabelValues",
    "Row",
    "RowSink",
    "Store",
    "StreamState",
    "WriteResult",
]
