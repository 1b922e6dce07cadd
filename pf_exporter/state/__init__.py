"""What is known now: the latest observation of each circuit, and the statistics of each account.

Never performs I/O.
"""

from __future__ import annotations

from pf_exporter.state.history import AccountHistory
from pf_exporter.state.stats import DROPPED, LAG_BUCKETS, STATES, STOPPED, AccountStats, LabelValues
from pf_exporter.state.store import KEPT, RESET, Store, WriteResult
from pf_exporter.state.table import Row
from pf_exporter.state.temporality import Verdict

__all__ = [
    "DROPPED",
    "KEPT",
    "LAG_BUCKETS",
    "RESET",
    "STATES",
    "STOPPED",
    "AccountHistory",
    "AccountStats",
    "LabelValues",
    "Row",
    "Store",
    "Verdict",
    "WriteResult",
]
