"""What one account's threads report: plain counts and times."""

from __future__ import annotations

import bisect
import itertools
import time
from collections.abc import Callable

from pf_exporter.config import Account
from pf_exporter.errors import ApiError, EventError, StreamError, reasons
from pf_exporter.reason import Reason
from pf_exporter.schema import CATEGORIES, EVENT_NAMES, EVENTS, LOG_LEVELS, OTHER
from pf_exporter.state.store import WriteResult
from pf_exporter.state.temporality import TemporalityDetector
from pf_exporter.state.unknown_fields import UnknownFields

STATES = ("connecting", "streaming", "backoff", "stopped")
ROTATED, STOPPED = Reason.ROTATED, Reason.STOPPED
DISCONNECT_REASONS = (*reasons(StreamError, ApiError), ROTATED, STOPPED)
DROPPED = {WriteResult.DUPLICATE: Reason.DUPLICATE, WriteResult.OUT_OF_ORDER: Reason.OUT_OF_ORDER}
REJECT_REASONS = (*reasons(EventError), *DROPPED.values())
LAG_BUCKETS = (0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0, 600.0)

LabelValues = tuple[str, ...]


class AccountStats:
    """What one account's threads report: plain numbers, because the stream's thread adds to them per event.

    Each number has one writer at a time; any thread may read.
    """

    def __init__(
        self,
        account: Account,
        *,
        idle_timeout: float,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.account = account.name
        self._idle_timeout = idle_timeout
        self.clock = clock
        self.state = "connecting"
        self.heard = float("-inf")
        """When the last byte came, by the monotonic clock."""
        self._gap = 0.0
        self._gap_since: float | None = clock()
        self.connects = 0
        self.disconnects: dict[str, int] = dict.fromkeys(DISCONNECT_REASONS, 0)
        self.bytes = 0
        self.events = dict.fromkeys((*EVENT_NAMES, OTHER), 0)
        self.rejected: dict[str, int] = dict.fromkeys(REJECT_REASONS, 0)
        self.fields_rejected = dict.fromkeys((*EVENT_NAMES, OTHER), 0)
        self.fields_unknown = dict.fromkeys((*EVENT_NAMES, OTHER), 0)
        self.unknown_fields = UnknownFields()
        self.temporality = TemporalityDetector()
        self.resets = dict.fromkeys(EVENTS, 0)
        self.login_attempts = 0
        self.login_failures: dict[str, int] = dict.fromkeys(reasons(ApiError), 0)
        self.session_expires_at: float | None = None
        self.series_dropped = 0
        self.last_event: dict[str, float] = {}
        """UNIX seconds at which the last usable event of a name came."""
        self.lags = [0] * (len(LAG_BUCKETS) + 1)
        self.lag_sum = 0.0
        subscribed = {
            category
            for stream in account.streams
            if stream.type == "customer"
            for category in stream.events or CATEGORIES
        }
        self.activity: dict[LabelValues, int] = dict.fromkeys(
            itertools.product(sorted(subscribed), LOG_LEVELS), 0
        )

    def opened(self, at: float | None = None) -> None:
        """A stream is open, since ``at`` by the monotonic clock or just now; it is yet to be heard."""
        self.connects += 1
        self.heard = float("-inf")
        self.state = "streaming"
        if self._gap_since is not None:
            self._gap += max((self.clock() if at is None else at) - self._gap_since, 0.0)
            self._gap_since = None

    def renewed(self) -> None:
        """A stream that was to end has been replaced by one that is open already."""
        self.connects += 1
        self.disconnects[ROTATED] += 1

    def lost(self, reason: Reason, state: str, since: float | None = None) -> None:
        """No stream is open, because of ``reason``; what the thread does now is ``state``.

        ``since`` is when it was heard last, where the stream was dead before that was known.
        """
        self.disconnects[reason] += 1
        self.state = state
        if self._gap_since is None:
            self._gap_since = self.clock() if since is None else since

    def lag(self, seconds: float) -> None:
        """An event came so long after it was sampled; negative where the network's clock is ahead."""
        if seconds < 0:
            seconds = 0.0
        self.lags[bisect.bisect_left(LAG_BUCKETS, seconds)] += 1
        self.lag_sum += seconds

    @property
    def up(self) -> bool:
        """Whether a stream is open and has been heard lately."""
        return self.state == "streaming" and self.clock() - self.heard <= self._idle_timeout

    @property
    def gap_seconds(self) -> float:
        """Seconds without an open stream, the present gap included."""
        since = self._gap_since
        return self._gap + (self.clock() - since if since is not None else 0.0)
