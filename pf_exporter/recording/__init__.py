"""Recordings: the frames of streams as received, in a file, redacted.

It interprets events only to redact them, and never raises while it records.

>>> writer = RecordingWriter("streams.gz", redaction=redaction_for(config.accounts))
>>> chunks = RecordingTap("default", writer).tap(chunks)
>>> writer.close()
>>> list(read("streams.gz"))
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pf_exporter.lazy import lazy_names

if TYPE_CHECKING:
    from pf_exporter.recording.format import Mark, Record
    from pf_exporter.recording.reader import is_redacted, read
    from pf_exporter.recording.redaction import redaction_for
    from pf_exporter.recording.stats import RecordingStats
    from pf_exporter.recording.tap import RecordingTap
    from pf_exporter.recording.writer import RecordingWriter
else:
    __getattr__ = lazy_names(
        __name__,
        {
            "format": ("Mark", "Record"),
            "reader": ("is_redacted", "read"),
            "redaction": ("redaction_for",),
            "stats": ("RecordingStats",),
            "tap": ("RecordingTap",),
            "writer": ("RecordingWriter",),
        },
    )

__all__ = [
    "Mark",
    "Record",
    "RecordingStats",
    "RecordingTap",
    "RecordingWriter",
    "is_redacted",
    "read",
    "redaction_for",
]
