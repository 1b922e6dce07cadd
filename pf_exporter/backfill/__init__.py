"""Fills gaps and the time before the first start with samples from the API's history, or from a recording.

Used by the command ``backfill`` only.
"""

from __future__ import annotations

from pf_exporter.backfill.collector import HistoryCollector, RecordingCollector
from pf_exporter.backfill.continuation import open_spool
from pf_exporter.backfill.delivery import reset_cache_url
from pf_exporter.backfill.history_reader import HistoryReader, Pace
from pf_exporter.backfill.recorded import RecordedSamples, check_recording
from pf_exporter.backfill.request import BackfillRequest
from pf_exporter.backfill.runner import BackfillRunner, Collector
from pf_exporter.backfill.running_exporter import ExportedLabels, RunningExporter
from pf_exporter.backfill.spool import Spool
from pf_exporter.backfill.time_range import RECENT, format_moment, parse_moment

__all__ = [
    "RECENT",
    "BackfillRequest",
    "BackfillRunner",
    "Collector",
    "ExportedLabels",
    "HistoryCollector",
    "HistoryReader",
    "Pace",
    "RecordedSamples",
    "RecordingCollector",
    "RunningExporter",
    "Spool",
    "check_recording",
    "format_moment",
    "open_spool",
    "parse_moment",
    "reset_cache_url",
]
