"""A recording played into the exporter."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from pf_exporter.config.settings import Config, SeriesSettings, WebSettings
from pf_exporter.errors import ConfigError
from pf_exporter.recording.format import ENDED, OPENED, ROTATION_STARTED, ROTATION_SWITCHED
from pf_exporter.recording.writer import RecordingWriter
from pf_exporter.service.exporter import Exporter
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
    """A recording in the making, with a clock to turn."""

    def __init__(self, path: Path) -> None:
        self.path = str(path)
        self.now = 1_632_342_875.0
        self.recorder = RecordingWriter(self.path, wall=lambda: self.now)

    def mark(self, mark: str, account: str = "east") -> None:
        self.recorder.mark(account, mark)

    def frames(self, *frames: bytes, account: str = "east") -> None:
        for frame in frames:
            self.recorder.frame(account, frame)


@pytest.fixture
def tape(tmp_path: Path) -> Tape:
    return Tape(tmp_path / "tape.gz")


def played(path: str, *, loop: bool = False, until: Callable[[Replayer], bool] | None = None) -> Exporter:
    """The exporter after the whole recording has been played without pauses."""
    config = Config(
        accounts=accounts(path),
        series=SeriesSettings(ttl=math.inf),
        web=WebSettings(listen_address=("127.0.0.1:0",), disable_exporter_metrics=True),
    )
    clock = Clock()
    exporter = Exporter(config, pipeline=partial(ReplayPipeline, clock=clock), wall=clock)
    over = threading.Event()
    faults: list[BaseException | None] = []

    def ended(exc: BaseException | None) -> None:
        faults.append(exc)
        over.set()

    player = Replayer(path, exporter.pipelines, clock, speed=math.inf, loop=loop, ended=ended)
    with exporter:
        player.start()
        if until is None:
            assert over.wait(20)
            assert faults == [None]
        else:
            while not until(player):
                over.wait(0.01)
        player.stop()
        exporter.page = get(f"http://{exporter.server.addresses[0]}/metrics")[2].decode()  # type: ignore[attr-defined]
    return exporter


def page(exporter: Exporter) -> str:
    text: str = exporter.page  # type: ignore[attr-defined]
    return text


def test_what_was_recorded_is_shown(tape: Tape) -> None:
    """The numbers of every account are those of the recording, with the times at which they came."""
    tape.mark(OPENED)
    tape.frames(b": heartbeat\n", metrics(31), metrics(33))
    tape.frames(metrics(32, "PF-AP-2"), account="west")
    exporter = played(tape.path)
    assert 'packetfabric_port_receive_bytes_total{account="east",port_circuit_id="PF-AP-1"} 33.0' in page(
        exporter
    )
    assert 'packetfabric_port_receive_bytes_total{account="west",port_circuit_id="PF-AP-2"} 32.0' in page(
        exporter
    )
    east = exporter.pipelines[0].stats
    assert east.connects == 1
    assert east.lag_sum == (1_632_342_875 - 1_632_342_871) + (1_632_342_875 - 1_632_342_873)
    assert east.last_event == {"port|metrics": tape.now}


def test_streams_that_overlap(tape: Tape) -> None:
    """What two streams brought while one replaced the other counts once, as it did when it was recorded."""
    tape.mark(OPENED)
    tape.mark(ROTATION_STARTED)
    tape.frames(metrics(31), metrics(32))
    tape.mark(ENDED)
    tape.mark(ROTATION_SWITCHED)
    tape.mark(OPENED)
    tape.frames(metrics(31), metrics(32), metrics(33))
    stats = played(tape.path).pipelines[0].stats
    assert stats.events["port|metrics"] == 3
    assert stats.disconnects["ended"] == 1


def test_parts_and_ends(tape: Tape) -> None:
    """A frame recorded in parts is put together; what was cut by the end of its stream stays cut."""
    whole = metrics(31)
    tape.mark(OPENED)
    tape.frames(whole[:30], whole[30:], whole[:50])
    tape.mark(ENDED)
    tape.mark(OPENED)
    tape.frames(metrics(32))
    stats = played(tape.path).pipelines[0].stats
    assert stats.events["port|metrics"] == 2
    assert sum(stats.rejected.values()) == 0


def test_a_loop(tape: Tape) -> None:
    """With loop it begins again at its end."""
    tape.frames(metrics(31))
    exporter = played(tape.path, loop=True, until=lambda player: player.played > 3)
    assert exporter.pipelines[0].stats.events["port|metrics"] > 3


@pytest.mark.parametrize(("speed", "pauses"), [(1.0, [5.0, 10.0]), (2.0, [2.5, 5.0]), (math.inf, [])])
def test_pauses(tape: Tape, speed: float, pauses: list[float]) -> None:
    """Between the lines it waits as long as it took, divided by the speed."""
    for pause in (5, 10, 0):
        tape.frames(metrics(31))
        tape.now += pause
    clock = Clock()
    exporter = Exporter(
        replace(
            Config(accounts=accounts(tape.path)),
            web=WebSettings(listen_address=("127.0.0.1:0",)),
        ),
        pipeline=partial(ReplayPipeline, clock=clock),
    )
    over = threading.Event()
    player = Replayer(
        tape.path, exporter.pipelines, clock, speed=speed, loop=False, ended=lambda exc: over.set()
    )
    waited: list[float] = []

    class Patient(threading.Event):
        def wait(self, timeout: float | None = None) -> bool:
            waited.append(timeout or 0.0)
            return False

    player._stopping = Patient()
    with exporter:
        player.start()
        assert over.wait(20)
        player.stop()
    assert waited == pauses


def test_an_empty_recording(tape: Tape) -> None:
    """A recording of nothing is said to be one."""
    tape.recorder.close()
    with pytest.raises(ConfigError, match="the recording is empty"):
        accounts(tape.path)


def test_golden(golden: Callable[[str, str], None]) -> None:
    """The recording of a simulated network makes the same metrics for ever."""
    exporter = played(str(FIXTURES / "recording.gz"))
    wanted = ("packetfabric_port_", "packetfabric_vc_", "packetfabric_stream_events", "packetfabric_activity")
    lines = [line for line in page(exporter).splitlines() if line.removeprefix("# HELP ").startswith(wanted)]
    golden("replay.txt", "\n".join(sorted(lines)) + "\n")
