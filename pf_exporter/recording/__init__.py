"""Recordings of the stream: format, framing, writer and redaction.

Records frames as received, before they are decoded.
"""

from __future__ import annotations

from pf_exporter.recording.format import (
    ENDED,
    OPENED,
    ROTATION_ABANDONED,
    ROTATION_STARTED,
    ROTATION_SWITCHED,
    Record,
    read,
)
from pf_exporter.recording.redaction import redaction
from pf_exporter.recording.tap import RecordingTap
from pf_exporter.recording.writer import RecordingWriter

__all__ = [
    "ENDED",
    "OPENED",
    "ROTATION_ABANDONED",
    "ROTATION_STARTED",
    "ROTATION_SWITCHED",
    "Record",
    "RecordingTap",
    "RecordingWriter",
    "read",
    "redaction",
]
