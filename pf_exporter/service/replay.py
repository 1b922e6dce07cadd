"""Replay: the pipelines read a recording instead of PacketFabric's streams."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable, Iterable, Iterator

from pf_exporter.config import Account, Config, Secret
from pf_exporter.errors import ConfigError, StreamEnded
from pf_exporter.packetfabric import MAX_EVENT_BYTES, read_events
from pf_exporter.recording import Mark, Record, read
from pf_exporter.service.pipeline import AccountPipeline, ProcessorFactory
from pf_exporter.state import Store, StreamState
from pf_exporter.stream import Deduplicator, EventProcessor
from pf_exporter.supervised_thread import SupervisedThread

PENDING_LIMIT = 2 * MAX_EVENT_BYTES
"""Most bytes of an incomplete frame that are kept until the rest arrives."""


def accounts(path: str) -> tuple[Account, ...]:
    """The accounts of a recording, for a configuration; their credentials are placeholders.

    Raises :class:`ConfigError` if the file is empty or not a recording.
    """
    names = dict.fromkeys(record.account for record in read(path) if record.account)
    if not names:
        raise ConfigError([f"{path}: the recording is empty; record for longer"])
    return tuple(Account(name=name, api_url="http://127.0.0.1", token=Secret("none")) for name in names)


def time_span(path: str) -> tuple[float, float]:
    """The times of the first and of the last record, in UNIX seconds."""
    first = last = 0.0
    for record in read(path):
        first = min(first or record.at, record.at)
        last = max(last, record.at)
    return first, last


class ReplayClock:
    """A wall clock at the time of the record being replayed, so that lag and timestamps are as recorded."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        """UNIX seconds."""
        return self.now


class ReplayPipeline(AccountPipeline):
    """A pipeline that gets records from a :class:`Replayer` and never connects."""

    def __init__(
        self,
        account: Account,
        config: Config,
        store: Store,
        on_failure: Callable[[BaseException], None],
        *,
        wall: ReplayClock,
        create_processor: ProcessorFactory = EventProcessor,
        previous: AccountPipeline | None = None,
    ) -> None:
        super().__init__(
            account,
            config,
            store,
            on_failure,
            create_processor=create_processor,
            wall=wall,
            previous=previous,
        )
        self._store = store
        self._series_limit = account.series_limit
        self._deduplicator = Deduplicator(clock=wall)
        self._pending = bytearray()  # Grows in place: a frame may be recorded byte by byte.

    def start(self) -> None:
        """Do nothing: there is no stream to open."""

    def stop(self) -> bool:
        """Do nothing: there is no stream to close."""
        return True

    def start_over(self) -> None:
        """Forget the samples of the account, because they are to come again."""
        self._store.remove_account(self.account)
        self._store.add_account(self.account, self._series_limit)

    def process(self, record: Record) -> None:
        """Process one record as the stream's reader would have."""
        deduplicator, stats = self._deduplicator, self.stats
        if record.mark == Mark.OPENED:
            stats.opened()
        elif record.mark == Mark.ENDED:
            self._pending.clear()
            stats.lost(StreamEnded.reason, StreamState.CONNECTING)
        elif record.mark == Mark.ROTATION_STARTED:
            deduplicator.rotation_started()
        elif record.mark == Mark.ROTATION_SWITCHED:
            deduplicator.rotation_switched()
        elif record.mark == Mark.ROTATION_ABANDONED:
            deduplicator.rotation_abandoned()
        else:
            self._process_frame(record.frame)

    def _process_frame(self, frame: bytes) -> None:
        self.stats.bytes += len(frame)
        self.stats.last_byte_at = self.stats.clock()
        self._pending += frame
        if self._pending.endswith((b"\n", b"\r")) or len(self._pending) > PENDING_LIMIT:
            block = bytes(self._pending)
            self._pending.clear()
            for event in read_events(iter([block]), self.processor.reject):
                if not self._deduplicator.is_repeat(event):
                    self.processor.process(event)


class Replayer:
    """Replays a recording on its own thread, ``speed`` times as fast; infinity means without pauses.

    ``on_end`` is called at the end of the recording with None, or with the exception that ended the replay.
    Setting ``stopping`` ends the replay, as :meth:`stop` does.
    """

    def __init__(
        self,
        path: str,
        pipelines: Iterable[AccountPipeline],
        wall: ReplayClock,
        *,
        speed: float,
        loop: bool,
        on_end: Callable[[BaseException | None], None],
        stopping: threading.Event | None = None,
    ) -> None:
        self._path = path
        self._pipelines = {
            pipeline.account: pipeline for pipeline in pipelines if isinstance(pipeline, ReplayPipeline)
        }
        self._wall = wall
        self._speed = speed
        self._loop = loop
        self._on_end = on_end
        self._stopping = stopping or threading.Event()
        self._thread = SupervisedThread(self._run, name="replay", on_failure=self._fail)
        self.replayed = 0
        """Records replayed so far."""
        self.has_ended = False
        """Whether the whole recording has been replayed."""

    def start(self) -> None:
        """Start to replay."""
        self._thread.start()

    def stop(self) -> None:
        """End the replay, and wait for its end."""
        self._stopping.set()
        self._thread.join()

    def _run(self) -> None:
        for number in itertools.count() if self._loop else range(1):
            for pipeline in self._pipelines.values() if number else ():
                pipeline.start_over()
            self._replay_once()
            if self._stopping.is_set():
                return
        self.has_ended = True
        self._on_end(None)

    def _fail(self, exc: BaseException) -> None:
        for pipeline in self._pipelines.values():
            pipeline.stats.stopped()
        self._on_end(exc)

    def _replay_once(self) -> None:
        for record in self._paced():
            pipeline = self._pipelines.get(record.account)
            if pipeline is not None:
                self._wall.now = record.at
                pipeline.process(record)
                self.replayed += 1

    def _paced(self) -> Iterator[Record]:
        """Yield each record at its time."""
        previous: float | None = None
        for record in read(self._path):
            pause = 0.0 if previous is None else max(record.at - previous, 0.0) / self._speed
            previous = record.at
            if self._stopping.wait(pause) if pause else self._stopping.is_set():
                return
            yield record
