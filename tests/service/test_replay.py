"""Replays of recordings through the exporter."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import NamedTuple

import pytest

from pf_exporter.config.settings import Config, SeriesSettings, WebSettings
from pf_exporter.errors import ConfigError
from pf_exporter.recording.format import Mark
from pf_exporter.recording.writer import RecordingWriter
from pf_exporter.service.exporter import Exporter
from pf_exporter.service.pipeline import AccountPipeline
from pf_exporter.service.replay import ReplayClock, Replayer, ReplayPipeline, accounts
from tests.conftest import FIXTURES, get
from tests.fakes import event

STAMP = "2021-09-22T20:34:{:02}+00:00"


def metrics(second: int, circuit: str = "PF-AP-1") -> bytes:
    return event(
        "port|metrics",
        {"timestamp": STAMP.format(second), "port_circuit_id": circuit, "bytes_rx_total": second},
    )


class RecordingFile:
    """A recording that a test writes, with a clock that it sets."""

    def __init__(self, path: Path) -> None:
        self.path = str(path)
        self.now = 1_632_342_875.0
        self.recorder = RecordingWriter(self.path, wall=lambda: self.now)

    def mark(self, mark: Mark, account: str = "east") -> None:
        self.recorder.mark(account, mark)

    def frames(self, *frames: bytes, account: str = "east") -> None:
        for frame in frames:
            self.recorder.frame(account, frame)


@pytest.fixture
def recording(tmp_path: Path) -> RecordingFile:
    return RecordingFile(tmp_path / "recording.gz")


class Replay(NamedTuple):
    """What the replay of a recording left."""

    page: str
    """The metrics."""
    pipelines: Sequence[AccountPipeline]


def replay(path: str, *, loop: bool = False, until: Callable[[Replayer], bool] | None = None) -> Replay:
    """Replay a recording without pauses, to its end or until a condition holds."""
    config = Config(
        accounts=accounts(path),
        series=SeriesSettings(ttl=math.inf),
        web=WebSettings(listen_address=("127.0.0.1:0",), disable_exporter_metrics=True),
    )
    clock = ReplayClock()
    exporter = Exporter(config, create_pipeline=partial(ReplayPipeline, wall=clock), wall=clock)
    is_over = threading.Event()
    outcomes: list[BaseException | None] = []

    def ended(exc: BaseException | None) -> None:
        outcomes.append(exc)
        is_over.set()

    replayer = Replayer(path, exporter.pipelines, clock, speed=math.inf, loop=loop, on_end=ended)
    with exporter:
        replayer.start()
        if until is None:
            assert is_over.wait(60)
            assert outcomes == [None]
        else:
            while not until(replayer):
                is_over.wait(0.01)
        replayer.stop()
        page = get(f"http://{exporter.server.addresses[0]}/metrics")[2].decode()
    return Replay(page, exporter.pipelines)


def test_metrics_of_a_recording(recording: RecordingFile) -> None:
    """Each account has the values of the recording, with the times of the recording."""
    recording.mark(Mark.OPENED)
    recording.frames(b": heartbeat\n", metrics(31), metrics(33))
    recording.frames(metrics(32, "PF-AP-2"), account="west")
    page, pipelines = replay(recording.path)
    for series in (
        '{account="east",port_circuit_id="PF-AP-1"} 33.0',
        '{account="west",port_circuit_id="PF-AP-2"} 32.0',
    ):
        assert f"packetfabric_port_receive_bytes_total{series}" in page
    east = pipelines[0].stats
    assert east.connects == 1
    assert east.lag_sum == (1_632_342_875 - 1_632_342_871) + (1_632_342_875 - 1_632_342_873)
    assert east.last_event == {"port|metrics": recording.now}


def test_overlapping_streams(recording: RecordingFile) -> None:
    """Events that both streams of a rotation delivered count once, as in the original."""
    recording.mark(Mark.OPENED)
    recording.mark(Mark.ROTATION_STARTED)
    recording.frames(metrics(31), metrics(32))
    recording.mark(Mark.ENDED)
    recording.mark(Mark.ROTATION_SWITCHED)
    recording.mark(Mark.OPENED)
    recording.frames(metrics(31), metrics(32), metrics(33))
    stats = replay(recording.path).pipelines[0].stats
    assert stats.events["port|metrics"] == 3
    assert stats.disconnects["ended"] == 1


def test_frames_in_parts(recording: RecordingFile) -> None:
    """A frame recorded in parts is joined; one cut off by the end of its stream is dropped."""
    whole = metrics(31)
    recording.mark(Mark.OPENED)
    recording.frames(whole[:30], whole[30:], whole[:50])
    recording.mark(Mark.ENDED)
    recording.mark(Mark.OPENED)
    recording.frames(metrics(32))
    stats = replay(recording.path).pipelines[0].stats
    assert stats.events["port|metrics"] == 2
    assert sum(stats.rejected.values()) == 0


def test_loop(recording: RecordingFile) -> None:
    """With loop the recording starts again at its end, and its samples are as new as the first time."""
    recording.frames(metrics(31), metrics(33))
    result = replay(recording.path, loop=True, until=lambda replayer: replayer.replayed > 3)
    stats = result.pipelines[0].stats
    assert stats.events["port|metrics"] > 3
    assert sum(stats.rejected.values()) == 0


@pytest.mark.parametrize(("speed", "pauses"), [(1.0, [5.0, 10.0]), (2.0, [2.5, 5.0]), (math.inf, [])])
def test_pauses(recording: RecordingFile, speed: float, pauses: list[float]) -> None:
    """The pauses between records are those of the recording, divided by the speed."""
    for pause in (5, 10, 0):
        recording.frames(metrics(31))
        recording.now += pause
    clock = ReplayClock()
    exporter = Exporter(
        replace(
            Config(accounts=accounts(recording.path)),
            web=WebSettings(listen_address=("127.0.0.1:0",)),
        ),
        create_pipeline=partial(ReplayPipeline, wall=clock),
    )
    ended = threading.Event()
    pauses_made: list[float] = []

    class Stopping(threading.Event):
        """Records how long the replay would wait, and does not wait."""

        def wait(self, timeout: float | None = None) -> bool:
            pauses_made.append(timeout or 0.0)
            return False

    replayer = Replayer(
        recording.path,
        exporter.pipelines,
        clock,
        speed=speed,
        loop=False,
        on_end=lambda exc: ended.set(),
        stopping=Stopping(),
    )
    with exporter:
        replayer.start()
        assert ended.wait(60)
        replayer.stop()
    assert pauses_made == pauses


def test_an_empty_recording(recording: RecordingFile) -> None:
    """A recording without records is an error."""
    recording.recorder.close()
    with pytest.raises(ConfigError, match="the recording is empty"):
        accounts(recording.path)


def test_an_old_recording() -> None:
    """A recording of the old format is played up to its torn end."""
    stats = replay(str(FIXTURES / "recording-torn.gz")).pipelines[0].stats
    assert stats.events["port|metrics"] == 7
    assert stats.connects == 2


def test_golden(golden: Callable[[str, str], None]) -> None:
    """The recording of a simulated network always produces the same metrics."""
    page = replay(str(FIXTURES / "recording.gz")).page
    wanted = ("packetfabric_port_", "packetfabric_vc_", "packetfabric_stream_events", "packetfabric_activity")
    lines = [line for line in page.splitlines() if line.removeprefix("# HELP ").startswith(wanted)]
    golden("replay.txt", "\n".join(sorted(lines)) + "\n")
