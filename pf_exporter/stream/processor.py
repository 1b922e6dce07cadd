"""Decodes, stores and counts the events of one account."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from pf_exporter.activity import ActivityCounter
from pf_exporter.errors import EventError, NoValues
from pf_exporter.log import Logger
from pf_exporter.packetfabric import ServerSentEvent
from pf_exporter.schema import EVENT_NAMES, OTHER, Observation, RateUnit, bytes_to_bits, decode
from pf_exporter.state import KEPT, RESET, AccountStats, Store, WriteResult

if TYPE_CHECKING:
    from pf_exporter.recording import Mark, RecordingTap, RecordingWriter

_DOCUMENTED = frozenset(EVENT_NAMES)


class EventProcessor:
    """The :class:`EventSink` of the exporter: events go to the store, the statistics and the log.

    With a ``recorder`` the stream is recorded, too. ``wall`` is the clock for arrival times, in UNIX seconds.
    """

    def __init__(
        self,
        store: Store,
        stats: AccountStats,
        *,
        activity: ActivityCounter | None = None,
        recorder: RecordingWriter | None = None,
        wall: Callable[[], float] = time.time,
    ) -> None:
        self._store = store
        self._stats = stats
        self._account = stats.account
        # One logger per account: a flood of one account must not suppress the warnings of another.
        self._log = Logger(__name__)
        self._activity = activity or ActivityCounter(stats)
        self._tap: RecordingTap | None = None
        if recorder is not None:
            from pf_exporter.recording import RecordingTap

            self._tap = RecordingTap(stats.account, recorder)
        self._wall = wall
        self._temporality = stats.temporality
        self._rate_observers = stats.rate_units.observers
        self._rates_are_bytes = stats.rate_units.assumed is RateUnit.BYTES

    def tap(self, chunks: Iterator[bytes]) -> Iterator[bytes]:
        """Record the bytes of a stream, if there is a recorder."""
        return chunks if self._tap is None else self._tap.tap(chunks)

    def mark(self, mark: Mark) -> None:
        """Record a step of a rotation, if there is a recorder."""
        if self._tap is not None:
            self._tap.mark(mark)

    def reject(self, error: EventError, event: str = "") -> None:
        """Count and log an event that cannot be used; ``event`` is its name, if known."""
        reason = error.reason
        self._stats.rejected[reason] += 1
        self._log.warning_throttled(
            reason, "event rejected", account=self._account, event=event, reason=reason, error=error
        )

    def process(self, event: ServerSentEvent) -> None:
        """Decode an event, store its values, and count it."""
        stats = self._stats
        name = event.event if event.event in _DOCUMENTED else OTHER
        stats.events[name] += 1
        try:
            decoded = decode(event.event, event.data)
        except EventError as exc:
            if isinstance(exc, NoValues):
                self._count_fields(name, event, exc.rejected, exc.unknown)
            self.reject(exc, name)
            return
        if decoded is None:
            stats.unknown_fields.add_event(event.event, event.data)
            self._log.warning_throttled(
                "unknown", "event of unknown name", account=self._account, event=event.event
            )
            return
        if decoded.fields_rejected or decoded.unknown:
            self._count_fields(name, event, decoded.fields_rejected, decoded.unknown)
        now, sampled = self._wall(), decoded.timestamp
        if sampled is not None:
            stats.observe_lag(now - sampled)
        if not isinstance(decoded, Observation):
            self._activity.count_streamed(decoded)
        elif not self._store_observation(name, decoded, now):
            return
        stats.last_event[name] = now

    def _count_fields(
        self, name: str, event: ServerSentEvent, rejected: int, unknown: tuple[str, ...]
    ) -> None:
        """Count the fields of an event that are unusable or unknown."""
        stats = self._stats
        stats.fields_rejected[name] += rejected
        stats.fields_unknown[name] += len(unknown)
        stats.unknown_fields.add_fields(event.event, unknown, event.data)

    def _store_observation(self, name: str, observation: Observation, received_at: float) -> bool:
        """Store an observation and count the result; return False if it is no new sample."""
        stored = bytes_to_bits(observation) if self._rates_are_bytes else observation
        result = self._store.write(self._account, stored, received_at)
        if result is not KEPT:
            self._count_result(result, name, observation)
            if result is not RESET:
                return result in (WriteResult.REFUSED, WriteResult.REDUCED)
        observe_rates = self._rate_observers.get(name)
        if observe_rates is not None:
            observe_rates(observation)
        elif name in self._temporality.observed:
            self._temporality.observe(observation.event, observation.circuit, observation.values)
        return True

    def _count_result(self, result: WriteResult, name: str, observation: Observation) -> None:
        stats = self._stats
        if result is RESET:
            stats.resets[name] += 1
            circuit = "&".join(observation.circuit)
            self._log.warning_throttled(
                f"reset {name}", "counter reset", account=self._account, event=name, circuit=circuit
            )
        elif result is WriteResult.REFUSED or result is WriteResult.REDUCED:
            stats.series_dropped += 1
            self._log.warning_throttled(
                "refused",
                "limit of series reached",
                account=self._account,
                limit=self._store.limit,
                share=self._store.quota(self._account).share,
            )
        else:
            stats.rejected[result.value] += 1
