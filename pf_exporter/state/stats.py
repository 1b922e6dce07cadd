"""The state and counters of one account's threads."""

from __future__ import annotations

import bisect
import enum
import itertools
import time
from collections.abc import Callable

from pf_exporter.config import Account
from pf_exporter.errors import ApiError, EventError, StreamError, reasons
from pf_exporter.packetfabric import SessionStats
from pf_exporter.reason import Reason
from pf_exporter.schema import CATEGORIES, EVENT_NAMES, EVENTS, LOG_LEVELS, OTHER, RateUnit
from pf_exporter.state.gaps import GapLog
from pf_exporter.state.history import AccountHistory, CounterSnapshot, RecentRates
from pf_exporter.state.rate_units import RateUnitDetector
from pf_exporter.state.temporality_detector import TemporalityDetector
from pf_exporter.state.unknown_fields import UnknownFields


class StreamState(enum.Enum):
    """What the thread that reads an account's stream is doing; the values are label values."""

    CONNECTING = "connecting"
    STREAMING = "streaming"
    BACKOFF = "backoff"
    STOPPED = "stopped"


class CatchUpResult(enum.Enum):
    """What the REST activity log told about an entry, or that it could not be read; label values."""

    FOUND = "found"
    STREAMED = "streamed"
    UNMATCHED = "unmatched"
    FAILED = "failed"


DISCONNECT_REASONS = (*reasons(StreamError, ApiError), Reason.ROTATED, Reason.STOPPED)
REJECT_REASONS = (*reasons(EventError), Reason.DUPLICATE, Reason.OUT_OF_ORDER)
MAX_LAG = 86_400.0
"""Longest lag in seconds; a timestamp that is further in the past is wrong."""
LAG_BUCKETS = (0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0, 600.0)
"""Upper bounds in seconds."""

LabelValues = tuple[str, ...]


def _subscribed_categories(account: Account) -> frozenset[str]:
    return frozenset(
        category
        for stream in account.streams
        if stream.type == "customer"
        for category in stream.events or (*CATEGORIES, OTHER)
    )


def _measured(account: Account) -> dict[str, int]:
    """Return 1 for the types of circuits whose measurements an account subscribes to, 0 for the others."""
    return {kind: int(any(stream.type == kind for stream in account.streams)) for kind in ("port", "vc")}


class AccountStats:
    """The state and counters of one account's threads: plain numbers, because events update them.

    Each number has one writer at a time; any thread may read. ``idle_timeout`` is the longest silence in
    seconds for which an open stream counts as up; ``rate_unit`` is that of the rates in events; ``clock`` is
    monotonic.
    """

    lag = 0.0
    """Of the last event with a timestamp, in seconds."""

    def __init__(
        self,
        account: Account,
        *,
        idle_timeout: float,
        session: SessionStats | None = None,
        rate_unit: RateUnit = RateUnit.BITS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.account = account.name
        self.clock = clock
        self._idle_timeout = idle_timeout
        self.session = session or SessionStats()
        """Written by the account's session manager."""
        self.state = StreamState.CONNECTING
        self.subscription_uuid = ""
        """UUID of the subscription; empty until there is one."""
        self.subscribed_at: float | None = None
        """UNIX seconds of the subscription; None until there is one."""
        self.stream_opened_at: float | None = None
        """UNIX seconds at which the current stream was opened; None while there is none."""
        self.rotate_at: float | None = None
        """UNIX seconds at which the current stream is to be replaced; None if that is not planned."""
        self.retry_at: float | None = None
        """UNIX seconds of the next attempt to open a stream; None while no attempt is waiting."""
        self.last_byte_at = float("-inf")
        """When the stream's last byte was received, by :attr:`clock`."""
        self._gap: tuple[float, float | None] = (0.0, clock())
        """Seconds of past gaps, and the start of the current one; one tuple, so that both change at once."""
        self.connects = 0
        self.disconnects: dict[str, int] = dict.fromkeys(DISCONNECT_REASONS, 0)
        self.bytes = 0
        self.events = dict.fromkeys((*EVENT_NAMES, OTHER), 0)
        self.measured = _measured(account)
        self.events_lost: dict[str, int] = {Reason.ROTATED: 0}
        """A lower bound: 1 for each stream that was cut with a backlog."""
        self.rejected: dict[str, int] = dict.fromkeys(REJECT_REASONS, 0)
        self.fields_rejected = dict.fromkeys((*EVENT_NAMES, OTHER), 0)
        self.fields_unknown = dict.fromkeys((*EVENT_NAMES, OTHER), 0)
        self.unknown_fields = UnknownFields()
        self.temporality = TemporalityDetector()
        self.rate_units = RateUnitDetector(rate_unit)
        self.resets = dict.fromkeys(EVENTS, 0)
        self.series_dropped = 0
        self.last_event: dict[str, float] = {}
        """UNIX seconds at which the last usable event was received, by name."""
        self.lags = [0] * (len(LAG_BUCKETS) + 1)
        """Events in each bucket, not cumulative; the last bucket has no upper bound."""
        self.lag_sum = 0.0
        self.categories = _subscribed_categories(account)
        """The subscribed categories of the activity log."""
        self.activity: dict[LabelValues, int] = dict.fromkeys(
            itertools.product(sorted(self.categories - {OTHER}), LOG_LEVELS), 0
        )
        """Activity log entries by category and log level; subscribed categories start at 0."""
        self.caught_up = dict.fromkeys(CatchUpResult, 0)
        """Entries of the REST activity log, and failed attempts to read it."""
        self.gaps = GapLog()
        self.history = AccountHistory(self._snapshot())

    def take_over(self, previous: AccountStats) -> None:
        """Take over the gaps of the account's previous reader, which has ended, and the one it left open.

        All counters start again from 0, with the seconds of gaps.
        """
        _, since = previous._gap
        open_since = None if since is None else time.time() - (self.clock() - since)
        self.gaps.take_over(previous.gaps, open_since)

    def subscribed(self, subscription_uuid: str) -> None:
        """Record the UUID of a new subscription."""
        self.subscription_uuid = subscription_uuid
        self.subscribed_at = time.time()

    def opened(self, at: float | None = None) -> None:
        """Record that a stream was opened at ``at`` (by :attr:`clock`; default: now).

        The account is up only once the first byte has been received.
        """
        self.connects += 1
        self.last_byte_at = float("-inf")
        self.state = StreamState.STREAMING
        self.stream_opened_at = time.time()
        past, since = self._gap
        if since is not None:
            now = self.clock()
            end = now if at is None else at
            self._gap = (past + max(end - since, 0.0), None)
            wall = time.time()
            self.gaps.add(wall - (now - since), wall - (now - end))
        self.history.state_changed()

    def rotated(self, *, was_cut: bool = False) -> None:
        """Record that a stream ended and that its replacement was already open.

        ``was_cut`` is whether it was shut down while it still delivered events that its replacement lacks:
        those after the last one that it delivered, whose time its lag tells.
        """
        self.events_lost[Reason.ROTATED] += was_cut
        self.connects += 1
        self.disconnects[Reason.ROTATED] += 1
        self.stream_opened_at = time.time()
        if was_cut:
            self.gaps.add(self.stream_opened_at - self.lag, self.stream_opened_at)

    def rotation_planned(self, seconds: float) -> None:
        """Record when the current stream is to be replaced; infinity if that is not planned."""
        self.rotate_at = None if seconds == float("inf") else time.time() + seconds

    def lost(
        self, reason: Reason, state: StreamState, since: float | None = None, *, message: str = ""
    ) -> None:
        """Record that no stream is open because of an error, and what the thread does next.

        ``since`` is the time of the last byte, if the stream was dead before that was noticed; ``message`` is
        the error as it is logged.
        """
        self._disconnected(reason, state, since)
        self.history.errors.add(reason, message or reason.summary)

    def waiting(self, seconds: float) -> None:
        """Record that the thread waits before it tries again to open a stream."""
        self.state = StreamState.BACKOFF
        self.retry_at = time.time() + seconds

    def connecting(self) -> None:
        """Record that the thread tries to open a stream."""
        self.state = StreamState.CONNECTING
        self.retry_at = None

    def stopped(self) -> None:
        """Record that the thread has ended and no stream is open, as requested."""
        self._disconnected(Reason.STOPPED, StreamState.STOPPED, None)

    def _disconnected(self, reason: Reason, state: StreamState, since: float | None) -> None:
        was_open = self.state is StreamState.STREAMING
        self.disconnects[reason] += 1
        self.state = state
        self.stream_opened_at = self.rotate_at = self.retry_at = None
        past, gap_since = self._gap
        if gap_since is None:
            self._gap = (past, self.clock() if since is None else since)
        if was_open:
            self.history.state_changed()

    def observe_lag(self, seconds: float) -> None:
        """Count the time between an event's timestamp and its arrival.

        A negative lag counts as 0: the network's clock is ahead. A lag above ``MAX_LAG`` counts
        as ``MAX_LAG``: one timestamp of the year 1 would dominate the sum for ever. It is not left out,
        because with a wrong clock on this machine the metric would fall silent instead of showing it.
        """
        if not 0.0 <= seconds <= MAX_LAG:
            seconds = 0.0 if seconds < 0.0 else MAX_LAG
        self.lags[bisect.bisect_left(LAG_BUCKETS, seconds)] += 1
        self.lag_sum += seconds
        self.lag = seconds

    @property
    def up(self) -> bool:
        """Whether a stream is open and has received bytes within the idle timeout."""
        return self.state is StreamState.STREAMING and self.clock() - self.last_byte_at <= self._idle_timeout

    @property
    def gap_seconds(self) -> float:
        """Seconds without an open stream so far, a current gap included."""
        past, since = self._gap
        return past if since is None else past + self.clock() - since

    def _snapshot(self) -> CounterSnapshot:
        return CounterSnapshot(time.monotonic(), dict(self.events), self.lag_sum, sum(self.lags))

    def recent_rates(self) -> RecentRates:
        """Return the event rates and the mean lag of about the last minute."""
        return self.history.rates(self._snapshot())
