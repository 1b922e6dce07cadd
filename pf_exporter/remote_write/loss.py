"""Why samples are lost: the values of the label ``reason`` of the metrics of remote write."""

from __future__ import annotations

import enum


class Loss(str, enum.Enum):
    """A reason for the loss of samples; ``summary`` explains it to users."""

    summary: str

    def __new__(cls, value: str, summary: str) -> Loss:
        """Make the label value the member's value, and keep the text beside it."""
        self = str.__new__(cls, value)
        self._value_ = value
        self.summary = summary
        return self

    def __str__(self) -> str:
        return str(self.value)

    REJECTED = ("rejected", "The receiver refused the sample (HTTP 4xx).")
    QUEUE_FULL = ("queue_full", "The queue in memory was full; the oldest samples leave it first.")
    SPOOL_FULL = ("spool_full", "The spool was full; the oldest samples leave it first.")
    SPOOL_DAMAGED = ("spool_damaged", "A file of the spool was damaged on disk before its samples were sent.")
    TOO_OLD = ("too_old", "The sample was older than max_age before the receiver accepted it.")
    OUT_OF_ORDER = ("out_of_order", "The sample was not newer than the last one of its series.")
    IN_FUTURE = ("in_future", "The timestamp was more than a minute ahead of this machine's clock.")
    STOPPED = ("stopped", "The exporter stopped before the receiver accepted the sample, without a spool.")


FAILED = (Loss.REJECTED,)
"""Counted as failed: the receiver saw the samples."""
DROPPED = tuple(loss for loss in Loss if loss not in FAILED)
"""Counted as dropped: the receiver never saw the samples, or did not confirm them."""
