"""What becomes of an event that arrived: decoded, kept, counted."""

from __future__ import annotations

import collections
import time
from collections.abc import Callable, Collection, Iterator

from pf_exporter.errors import EventError
from pf_exporter.events import OTHER, Activity, Observation, decode
from pf_exporter.families import EVENT_NAMES
from pf_exporter.frames import Frames
from pf_exporter.logs import Logger
from pf_exporter.recorder import Recorder
from pf_exporter.recording import ENDED, ONE_STREAM, OPENED, SECOND_STREAM, TWO_STREAMS
from pf_exporter.settings import LogSettings
from pf_exporter.sse import ServerSentEvent
from pf_exporter.store import FELL, KEPT, Store, Written
from pf_exporter.telemetry import DROPPED, AccountTelemetry

OVERLAP = 10.0
"""Seconds after a change of streams in which the new one may still repeat what the old one brought."""

_KNOWN = frozenset(EVENT_NAMES)


class Intake:
    """Takes one account's events, one at a time, into the store and the telemetry."""

    def __init__(
        self,
        store: Store,
        telemetry: AccountTelemetry,
        *,
        activity_fields: Collection[str] = LogSettings.activity_fields,
        recorder: Recorder | None = None,
        clock: Callable[[], float] = time.monotonic,
        wall: Callable[[], float] = time.time,
    ) -> None:
        self._store = store
        self._telemetry = telemetry
        self._account = telemetry.account
        self._log = Logger(__name__)
        self._clock = clock
        self._wall = wall
        self._activity_fields = activity_fields
        self._recorder = recorder
        # While two streams are open: how often each frame came on the old one and not yet on the new one.
        self._brought: collections.Counter[int] | None = None
        self._repeats_until: float | None = None

    def two_streams(self) -> None:
        """A second stream is about to be opened: remember what the first one brings."""
        self._mark(TWO_STREAMS)
        self._brought = collections.Counter()
        self._repeats_until = None

    def second_stream(self) -> None:
        """From now on the events are those of the second stream; what the first brought counts once."""
        self._mark(SECOND_STREAM)
        self._repeats_until = self._clock() + OVERLAP

    def one_stream(self) -> None:
        """There will be no second stream after all."""
        self._mark(ONE_STREAM)
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
        return chunks if self._recorder is None else self._recorded(chunks, self._recorder)

    def _recorded(self, chunks: Iterator[bytes], recorder: Recorder) -> Iterator[bytes]:
        frames = Frames()
        self._mark(OPENED)
        try:
            for chunk in chunks:
                for frame in frames.push(chunk):
                    recorder.frame(self._account, frame)
                yield chunk
        finally:
            # What was cut off is part of the truth.
            if rest := frames.rest():
                recorder.frame(self._account, rest)
            self._mark(ENDED)

    def _mark(self, mark: str) -> None:
        if self._recorder is not None:
            self._recorder.mark(self._account, mark)

    def reject(self, exc: EventError, event: str = "") -> None:
        """Count an event that cannot be used."""
        self._telemetry.rejected[exc.reason] += 1
        self._log.now_and_then(
            exc.reason, "event rejected", account=self._account, event=event, reason=exc.reason, error=exc
        )

    def take(self, frame: ServerSentEvent) -> None:
        """Take one event of a stream, unless another stream has brought it already."""
        brought = self._brought  # another thread may take it away
        if brought is None or not self._is_repeated(frame, brought):
            self.accept(frame)

    def accept(self, frame: ServerSentEvent) -> None:
        """Decode one event, keep what it says, and count it."""
        telemetry = self._telemetry
        name = frame.event
        if name not in _KNOWN:
            name = OTHER
        telemetry.events[name] += 1
        try:
            said = decode(frame.event, frame.data)
        except EventError as exc:
            self.reject(exc, name)
            return
        if said is None:
            telemetry.novelties.event(frame.event, frame.data)
            self._log.now_and_then(
                "unknown", "event of unknown name", account=self._account, event=frame.event
            )
            return
        if said.fields_rejected:
            telemetry.fields_rejected[name] += said.fields_rejected
        if said.unknown:
            telemetry.fields_unknown[name] += len(said.unknown)
            telemetry.novelties.fields(frame.event, said.unknown, frame.data)
        now, sampled = self._wall(), said.timestamp
        if sampled is not None:
            telemetry.lag(now - sampled)
        if isinstance(said, Observation):
            outcome = self._store.write(self._account, said)
            if outcome is not KEPT:
                self._count(outcome, name, said)
            if name in telemetry.judge.watched and (outcome is KEPT or outcome is FELL):
                telemetry.judge.saw(said.event, said.circuit, said.values)
        else:
            self._note(said)
        telemetry.last_event[name] = now

    def _count(self, outcome: Written, name: str, observation: Observation) -> None:
        telemetry = self._telemetry
        if outcome is FELL:
            telemetry.resets[name] += 1
            circuit = "&".join(observation.circuit)
            self._log.now_and_then(
                f"fell {name}", "totals fell", account=self._account, event=name, circuit=circuit
            )
        elif outcome is Written.REFUSED:
            telemetry.series_dropped += 1
            self._log.now_and_then(
                "refused", "limit of series reached", account=self._account, limit=self._store.limit
            )
        else:
            telemetry.rejected[DROPPED[outcome]] += 1

    def _note(self, activity: Activity) -> None:
        telemetry = self._telemetry
        key = (activity.category, activity.log_level)
        telemetry.activity[key] = telemetry.activity.get(key, 0) + 1
        said = {"category": activity.category, "log_level": activity.log_level}
        fields = {name: said.get(name) or activity.details.get(name, "") for name in self._activity_fields}
        self._log.info("activity", account=self._account, **fields)
