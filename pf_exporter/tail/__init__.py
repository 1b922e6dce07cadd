"""Events as lines of text or JSON, filtered, as ``pf-exporter tail`` prints them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pf_exporter.lazy import lazy_names
from pf_exporter.tail.event_filter import EventFilter

if TYPE_CHECKING:
    from pf_exporter.tail.event_printer import EventPrinter, OutputFormat
    from pf_exporter.tail.printing_processor import PrintingProcessor
else:  # Need the HTTP client.
    __getattr__ = lazy_names(
        __name__,
        {
            "event_printer": ("EventPrinter", "OutputFormat"),
            "printing_processor": ("PrintingProcessor",),
        },
    )

__all__ = ["EventFilter", "EventPrinter", "OutputFormat", "PrintingProcessor"]
