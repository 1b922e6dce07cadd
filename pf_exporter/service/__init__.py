"""The exporter as a whole: one pipeline per account, the pages, and replay of recordings.

>>> with Exporter(config) as exporter:
...     print(exporter.server.addresses)

Protocols and formats are in the packages that this one connects.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pf_exporter.lazy import lazy_names
from pf_exporter.service.exporter import Exporter
from pf_exporter.service.pipeline import AccountPipeline
from pf_exporter.service.serving import log_listening, serve
from pf_exporter.service.storage import delta_events

if TYPE_CHECKING:
    from pf_exporter.service.replay import ReplayClock, Replayer, ReplayPipeline, accounts, time_span
    from pf_exporter.service.streaming import StreamRunner
else:
    __getattr__ = lazy_names(
        __name__,
        {
            "replay": ("ReplayClock", "Replayer", "ReplayPipeline", "accounts", "time_span"),
            "streaming": ("StreamRunner",),
        },
    )

__all__ = [
    "AccountPipeline",
    "Exporter",
    "ReplayClock",
    "ReplayPipeline",
    "Replayer",
    "StreamRunner",
    "accounts",
    "delta_events",
    "log_listening",
    "serve",
    "time_span",
]
