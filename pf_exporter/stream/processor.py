"""What becomes of an event that arrived: decoded, kept, counted."""

from __future__ import annotations

import collections
import time
from collections.abc import Callable, Collection, Iterator

from pf_exporter.config import LogSettings
from pf_exporter.errors import EventError
from pf_exporter.log import Logger
from pf_exporter.packetfabric import ServerSentEvent
from pf_exporter.recording import Mark, RecordingTap, RecordingWriter
from pf_exporter.schema import EVENT_NAMES, OTHER, ActivityLogEntry, Observation, decode
from pf_exporter.state import KEPT, RESET, AccountStats, Store, WriteResult

REPEAT_WINDOW = 10.0
"""Seconds after a change of streams in which the new one may still repeat what the old one brought."""

_KNOWN = frozenset(EVENT_NAMES)


class EventProcessor:
    """Takes one account's events, one at a time, into the store and the telemetry."""

    def __init__(
        self,
        store: Store,
        stats: AccountStats,
        *,
        activity_fields: Collection[str] = LogSettings.activity_fields,
        recorder: RecordingWriter | None = None,
        clock: Callable[[], float] = time.monotonic,
        wall: Callable[[], float] = time.time,
    ) -> None:
        self._store = store
        self._stats = stats
        self._account = stats.account
        self._log = Logger(__name__)
        self._clock = clock
        self._wall = wall
        self._activity_fields = activity_fields
        self._tap = None if recorder is None else RecordingTap(stats.account, recorder)
        # While two streams are open: how often each frame came on the old one and not yet on the new one.
        self._brought: collections.Counter[int] | None = None
        self._repeats_until: float | None = None

    def rotation_started(self) -> None:
        """A second stream is about to be opened: remember what the first one brings."""
        self._mark(Mark.ROTATION_STARTED)
        self._brought = collections.Counter()
        self._repeats_until = None

    def rotation_switched(self) -> None:
        """From now on the events are those of the second stream; what the first brought counts once."""
        self._mark(Mark.ROTATION_SWITCHED)
        self._repeats_until = self._clock() + REPEAT_WINDOW

    def rotation_abandoned(self) -> None:
        """There will be no second stream after all."""
        self._mark(Mark.ROTATION_ABANDONED)
        self._brought = None

    def _is_repeated(self, frame: ServerSentEvent, brought: collections.Counter[int]) -> bool:
        key = hash((frame.event, frame.data))
        if self._repeats_until is None:
            brought[key] += 1
            return False
        if self._clock() > self._repeats_until:
            self._brought = None
            return False
        if brought[key] > 0:
            brought[key] -= 1
            return True
        return False

    def passing(self, chunks: Iterator[bytes]) -> Iterator[bytes]:
        """The bytes of a stream, on their way to the parser: recorded, where that is wanted."""
        return chunks if self._tap is None else self._tap.tap(chunks)

    def _mark(self, mark: Mark) -> None:
        if self._tap is not None:
            self._tap.mark(mark)

    def reject(self, exc: EventError, event: str = "") -> None:
        """Count an event that cannot be used."""
        self._stats.rejected[exc.reason] += 1
        self._log.warning_throttled(
            exc.reason, "event rejected", account=self._account, event=event, reason=exc.reason, error=exc
        )

    def take(self, frame: ServerSentEvent) -> None:
        """Take one event of a stream, unless another stream has brought it already."""
        brought = self._brought  # another thread may take it away
        if brought is None or not self._is_repeated(frame, brought):
            self.accept(frame)

    def accept(self, frame: ServerSentEvent) -> None:
        """Decode one event, keep what it says, and count it."""
        stats = self._stats
        name = frame.event
        if name not in _KNOWN:
            name = OTHER
        stats.events[name] += 1
        try:
            said = decode(frame.event, frame.data)
        except EventError as exc:
            self.reject(exc, name)
            return
        if said is None:
            stats.unknown_fields.add_event(frame.event, frame.data)
            self._log.warning_throttled(
                "unknown", "event of unknown name", account=self._account, event=frame.event
            )
            return
        if said.fields_rejected:
            stats.fields_rejected[name] += said.fields_rejected
        if said.unknown:
            stats.fields_unknown[name] += len(said.unknown)
            stats.unknown_fields.add_fields(frame.event, said.unknown, frame.data)
        now, sampled = self._wall(), said.timestamp
        if sampled is not None:
            stats.observe_lag(now - sampled)
        if isinstance(said, Observation):
            outcome = self._store.write(self._account, said)
            if outcome is not KEPT:
                self._count(outcome, name, said)
            if name in stats.temporality.observed and (outcome is KEPT or outcome is RESET):
                stats.temporality.observe(said.event, said.circuit, said.values)
        else:
            self._note(said)
        stats.last_event[name] = now

    def _count(self, outcome: WriteResult, name: str, observation: Observation) -> None:
        stats = self._stats
        if outcome is RESET:
            stats.resets[name] += 1
            circuit = "&".join(observation.circuit)
            self._log.warning_throttled(
                f"fell {name}", "totals fell", account=self._account, event=name, circuit=circuit
            )
        elif outcome is WriteResult.REFUSED:
            stats.series_dropped += 1
            self._log.warning_throttled(
                "refused", "limit of series reached", account=self._account, limit=self._store.limit
            )
        else:
            stats.rejected[outcome.value] += 1

    def _note(self, activity: ActivityLogEntry) -> None:
        stats = self._stats
        key = (activity.category, activity.log_level)
        stats.activity[key] = stats.activity.get(key, 0) + 1
        said = {"category": activity.category, "log_level": activity.log_level}
        fields = {name: said.get(name) or activity.details.get(name, "") for name in self._activity_fields}
        self._log.info("activity", account=self._account, **fields)
