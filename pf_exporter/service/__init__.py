"""The exporter as a whole: a pipeline per account, the pages, and replay of recordings."""

from __future__ import annotations

from pf_exporter.service.exporter import Exporter
from pf_exporter.service.pipeline import AccountPipeline
from pf_exporter.service.replay import Clock, Replayer, ReplayPipeline, accounts

__all__ = [
    "AccountPipeline",
    "Clock",
    "Exporter",
    "ReplayPipeline",
    "Replayer",
    "accounts",
]
