"""A recording played into the exporter, in the place of PacketFabric."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import Any

from pf_exporter.config import Account, Secret
from pf_exporter.errors import ConfigError, StreamEnded
from pf_exporter.log import Logger
from pf_exporter.packetfabric import MAX_EVENT_BYTES, read_events
from pf_exporter.recording import (
    ENDED,
    OPENED,
    ROTATION_ABANDONED,
    ROTATION_STARTED,
    ROTATION_SWITCHED,
    Record,
    read,
)
from pf_exporter.service.pipeline import AccountPipeline
from pf_exporter.state import STOPPED
from pf_exporter.stream import EventProcessor

PENDING_LIMIT = 2 * MAX_EVENT_BYTES
"""Bytes of a frame that was recorded in parts, for which its end is waited for."""

log = Logger(__name__)


def accounts(path: str) -> tuple[Account, ...]:
    """The accounts of a recording, for a configuration; nobody logs in with them.

    Raises :class:`ConfigError` if the file is no recording, or an empty one.
    """
    names = dict.fromkeys(entry.account for entry in read(path) if entry.account)
    if not names:
        raise ConfigError([f"{path}: the recording is empty; record for longer"])
    return tuple(Account(name=name, api_url="http://127.0.0.1", token=Secret("none")) for name in names)


class Clock:
    """The clock on the wall as the recording goes by, so that lag and freshness are what they were."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        """UNIX seconds of the line that is played."""
        return self.now


class ReplayPipeline(AccountPipeline):
    """An account's chain of parts that is fed by a player: it asks nobody anything."""

    def __init__(
        self,
        *arguments: Any,
        clock: Clock,
        processor: Callable[..., EventProcessor] = EventProcessor,
        **options: Any,
    ) -> None:
        super().__init__(*arguments, processor=partial(processor, wall=clock), **options)
        self._pending = bytearray()  # grows in place: a frame may come in as many parts as it has bytes

    def start(self) -> None:
        """There is nothing to connect to."""

    def stop(self) -> bool:
        """There is nothing to end."""
        return True

    def take(self, entry: Record) -> None:
        """Do what one line of the recording says."""
        processor, stats = self.processor, self.stats
        if entry.mark == OPENED:
            stats.opened()
        elif entry.mark == ENDED:
            self._pending.clear()
            stats.lost(StreamEnded.reason, "connecting")
        elif entry.mark == ROTATION_STARTED:
            processor.rotation_started()
        elif entry.mark == ROTATION_SWITCHED:
            processor.rotation_switched()
        elif entry.mark == ROTATION_ABANDONED:
            processor.rotation_abandoned()
        else:
            stats.bytes += len(entry.frame)
            stats.heard = stats.clock()
            self._pending += entry.frame
            if self._pending.endswith((b"\n", b"\r")) or len(self._pending) > PENDING_LIMIT:
                block = bytes(self._pending)
                self._pending.clear()
                for frame in read_events(iter([block]), processor.reject):
                    processor.take(frame)


class Replayer:
    """Plays a recording on a thread of its own, ``speed`` times as fast as it was; infinite is at once.

    ``ended`` is called when it is over, with the exception if it ended by one.
    """

    def __init__(
        self,
        path: str,
        pipelines: Iterable[AccountPipeline],
        clock: Clock,
        *,
        speed: float,
        loop: bool,
        ended: Callable[[BaseException | None], None],
    ) -> None:
        self._path = path
        self._feeds = {
            pipeline.account: pipeline for pipeline in pipelines if isinstance(pipeline, ReplayPipeline)
        }
        self._clock = clock
        self._speed = speed
        self._loop = loop
        self._ended = ended
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="player", daemon=True)
        self.played = 0
        """Lines so far."""

    def start(self) -> None:
        """Begin to play."""
        self._thread.start()

    def stop(self) -> None:
        """End, and wait for the end."""
        self._stopping.set()
        self._thread.join()

    def _run(self) -> None:
        fault: BaseException | None = None
        try:
            for _ in itertools.count() if self._loop else range(1):
                self._play()
                if self._stopping.is_set():
                    return
        except BaseException as exc:  # a thread's top: whatever it is, it must be known
            fault = exc
            log.exception("a thread has died of a bug", thread="player")
            for pipeline in self._feeds.values():
                pipeline.stats.lost(STOPPED, "stopped")
        self._ended(fault)

    def _play(self) -> None:
        for entry in self._in_time():
            pipeline = self._feeds.get(entry.account)
            if pipeline is not None:
                self._clock.now = entry.at
                pipeline.take(entry)
                self.played += 1

    def _in_time(self) -> Iterator[Record]:
        """The lines, each when it is its turn."""
        before: float | None = None
        for entry in read(self._path):
            pause = 0.0 if before is None else max(entry.at - before, 0.0) / self._speed
            before = entry.at
            if self._stopping.wait(pause) if pause else self._stopping.is_set():
                return
            yield entry
