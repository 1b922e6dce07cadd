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
from pf_exporter.service.replay import Clock, Replayer, ReplayPipeline, accounts
from tests.conftest import FIXTURES, get
from tests.fakes import event

STAMP = "2021-09-22T20:34:{:02}+00:00"


def metrics(second: int, circuit: str = "PF-AP-1") -> bytes:
    return event(
        "port|metrics",
        {"timestamp": STAMP.format(second), "port_circuit_id": circuit, "bytes_rx_total": second},
    )


class Tape:
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
def tape(tmp_path: Path) -> Tape:
    return Tape(tmp_path / "tape.gz")


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
    clock = Clock()
    exporter = Exporter(config, create_pipeline=partial(ReplayPipeline, clock=clock), wall=clock)
    is_over = threading.Event()
    outcomes: list[BaseException | None] = []

    def ended(exc: BaseException | None) -> None:
        outcomes.append(exc)
        is_over.set()

    replayer = Replayer(path, exporter.pipelines, clock, speed=math.inf, loop=loop, ended=ended)
    with exporter:
        replayer.start()
        if until is None:
            assert is_over.wait(20)
            assert outcomes == [None]
        else:
            while not until(replayer):
                is_over.wait(0.01)
        replayer.stop()
        page = get(f"http://{exporter.server.addresses[0]}/metrics")[2].decode()
    return Replay(page, exporter.pipelines)


def test_metrics_of_a_recording(tape: Tape) -> None:
    """Each account has the values of the recording, with the times of the recording."""
    tape.mark(Mark.OPENED)
    tape.frames(b": heartbeat\n", metrics(31), metrics(33))
    tape.frames(metrics(32, "PF-AP-2"), account="west")
    page, pipelines = replay(tape.path)
    for series in (
        '{account="east",port_circuit_id="PF-AP-1"} 33.0',
        '{account="west",port_circuit_id="PF-AP-2"} 32.0',
    ):
        assert f"packetfabric_port_receive_bytes_total{series}" in page
    east = pipelines[0].stats
    assert east.connects == 1
    assert east.lag_sum == (1_632_342_875 - 1_632_342_871) + (1_632_342_875 - 1_632_342_873)
    assert east.last_event == {"port|metrics": tape.now}


def test_overlapping_streams(tape: Tape) -> None:
    """Events that both streams of a rotation delivered count once, as in the original."""
    tape.mark(Mark.OPENED)
    tape.mark(Mark.ROTATION_STARTED)
    tape.frames(metrics(31), metrics(32))
    tape.mark(Mark.ENDED)
    tape.mark(Mark.ROTATION_SWITCHED)
    tape.mark(Mark.OPENED)
    tape.frames(metrics(31), metrics(32), metrics(33))
    stats = replay(tape.path).pipelines[0].stats
    assert stats.events["port|metrics"] == 3
    assert stats.disconnects["ended"] == 1


def test_frames_in_parts(tape: Tape) -> None:
    """A frame recorded in parts is joined; one cut off by the end of its stream is dropped."""
    whole = metrics(31)
    tape.mark(Mark.OPENED)
    tape.frames(whole[:30], whole[30:], whole[:50])
    tape.mark(Mark.ENDED)
    tape.mark(Mark.OPENED)
    tape.frames(metrics(32))
    stats = replay(tape.path).pipelines[0].stats
    assert stats.events["port|metrics"] == 2
    assert sum(stats.rejected.values()) == 0


def test_loop(tape: Tape) -> None:
    """With loop the recording starts again at its end."""
    tape.frames(metrics(31))
    result = replay(tape.path, loop=True, until=lambda replayer: replayer.replayed > 3)
    assert result.pipelines[0].stats.events["port|metrics"] > 3


@pytest.mark.parametrize(("speed", "pauses"), [(1.0, [5.0, 10.0]), (2.0, [2.5, 5.0]), (math.inf, [])])
def test_pauses(tape: Tape, speed: float, pauses: list[float]) -> None:
    """The pauses between records are those of the recording, divided by the speed."""
    for pause in (5, 10, 0):
        tape.frames(metrics(31))
        tape.now += pause
    clock = Clock()
    exporter = Exporter(
        replace(
            Config(accounts=accounts(tape.path)),
            web=WebSettings(listen_address=("127.0.0.1:0",)),
        ),
        create_pipeline=partial(ReplayPipeline, clock=clock),
    )
    ended = threading.Event()
    pauses_made: list[float] = []

    class Stopping(threading.Event):
        """Records how long the replay would wait, and does not wait."""

        def wait(self, timeout: float | None = None) -> bool:
            pauses_made.append(timeout or 0.0)
            return False

    replayer = Replayer(
        tape.path,
        exporter.pipelines,
        clock,
        speed=speed,
        loop=False,
        ended=lambda exc: ended.set(),
        stopping=Stopping(),
    )
    with exporter:
        replayer.start()
        assert ended.wait(20)
        replayer.stop()
    assert pauses_made == pauses


def test_an_empty_recording(tape: Tape) -> None:
    """A recording without records is an error."""
    tape.recorder.close()
    with pytest.raises(ConfigError, match="the recording is empty"):
        accounts(tape.path)


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
