"""Counters of a recording."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass
class RecordingStats:
    """What has been recorded since the start: plain numbers; any thread may read."""

    frames: int = 0
    """Frames, or pieces of a long one, that were written."""
    bytes: int = 0
    """Bytes written, uncompressed."""
    lost: int = 0
    """Frames and marks that could not be written."""
    failed_compressions: int = 0
    last_success_at: float | None = None
    """UNIX seconds at which the last frame or mark was written; None before the first."""
