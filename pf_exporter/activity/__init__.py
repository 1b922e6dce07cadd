"""The account's complete activity log: what the stream lacks is read from the REST API.

Entries are counted and logged once, however they arrive. Reading has a separate thread; the thread of the
stream waits for no request.
"""

from __future__ import annotations

from pf_exporter.activity.catch_up import CatchUp
from pf_exporter.activity.counter import ActivityCounter
from pf_exporter.activity.ledger import ActivityLedger

__all__ = ["ActivityCounter", "ActivityLedger", "CatchUp"]
