"""A live table of the busiest circuits, from the streams of this process or from a running exporter.

Used by the command ``top`` only; changes nothing in what it reads.
"""

from __future__ import annotations

from pf_exporter.top.circuit import Kind, Source
from pf_exporter.top.controls import Controls
from pf_exporter.top.loops import LiveTable, PlainTables
from pf_exporter.top.output import Blocked, Output
from pf_exporter.top.scrape_source import ScrapeSource
from pf_exporter.top.stream_source import StreamSource
from pf_exporter.top.table import SortKey
from pf_exporter.top.terminal import Terminal
from pf_exporter.top.view import View

__all__ = [
    "Blocked",
    "Controls",
    "Kind",
    "LiveTable",
    "Output",
    "PlainTables",
    "ScrapeSource",
    "SortKey",
    "Source",
    "StreamSource",
    "Terminal",
    "View",
]
