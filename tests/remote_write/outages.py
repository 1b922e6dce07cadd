"""Outages between the exporter and a real receiver, after which every sample must be there, once.

``python -m tests.remote_write.outages --events 200000`` runs them with Prometheus and with VictoriaMetrics:
the receiver is killed and started again, the network is cut, and the exporter is killed with a spool.
"""

from __future__ import annotations

import argparse
import contextlib
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, NamedTuple
from urllib.request import urlopen

from tests.conftest import listening_port, tool, until
from tests.links import Link
from tests.prometheus_server import Prometheus
from tests.remote_write.driver import EVENT, STEP, WIDTH


class Switch(Link):
    """A link whose server may change; there is no connection while ``target`` is None."""

    target: tuple[str, int] | None = None

    def __init__(self) -> None:
        super().__init__("http://127.0.0.1:9")

    def _note(self, data: bytes) -> None:
        pass

    def connect(self, client: socket.socket) -> socket.socket | None:
        return None if self.target is None else self.dial(self.target)


class Receiver(Prometheus):
    """A receiver that can be killed and started again with the same data."""

    path = "/api/v1/write"
    kill = signal.SIGKILL

    def __init__(self, folder: Path) -> None:
        folder.mkdir(exist_ok=True)
        (folder / "prometheus.yml").write_text("")
        self._folder = folder
        self.start()

    def command(self) -> list[str]:
        """The command line."""
        return [
            tool("prometheus"),
            f"--config.file={self._folder}/prometheus.yml",
            f"--storage.tsdb.path={self._folder}/data",
            "--web.listen-address=127.0.0.1:0",
            "--web.enable-remote-write-receiver",
        ]

    def start(self) -> None:
        """Start it on a free port."""
        self._log = (self._folder / "log").open("a")
        self._process = subprocess.Popen(self.command(), stdout=self._log, stderr=self._log)
        self.port = listening_port(self._process)
        self.url = f"http://127.0.0.1:{self.port}"

    def end(self) -> None:
        """Kill it."""
        self._process.send_signal(self.kill)
        self._process.wait(60)
        self._log.close()


class VictoriaMetrics(Receiver):
    """VictoriaMetrics, which is terminated instead: killed, it loses samples that it has acknowledged."""

    kill = signal.SIGTERM

    def command(self) -> list[str]:
        return [
            tool("victoria-metrics"),
            f"-storageDataPath={self._folder}/data",
            "-httpListenAddr=127.0.0.1:0",
            "-search.latencyOffset=0s",
            "-dedup.minScrapeInterval=1ms",
        ]

    def query(self, expression: str, at: float | None = None) -> list[dict[str, Any]]:
        """The result of a query, after everything that was received has been made visible."""
        with contextlib.suppress(OSError), urlopen(f"{self.url}/internal/force_flush", timeout=60):
            pass
        return super().query(expression, at)


class Found(NamedTuple):
    """What a receiver has in the end."""

    samples: int
    total: float
    """The sum of all values."""


def expected(events: int) -> Found:
    """What it has to have."""
    share = sum(1 / family.divisor for family in EVENT.fields.values())
    return Found(events * WIDTH, events * (events - 1) // 2 * share)


def _find(receiver: Receiver, at: float) -> Found:
    found = dict.fromkeys(("count_over_time", "sum_over_time"), 0.0)
    for function in found:
        for family in EVENT.fields.values():  # functions over time drop the name
            expression = f'sum({function}({family.name}{{job="packetfabric"}}[3h]))'
            for result in receiver.query(expression, at):
                found[function] += float(result["value"][1])
    return Found(int(found["count_over_time"]), found["sum_over_time"])


def _drive(url: str, spool: Path, start: float, first: int, last: int) -> subprocess.Popen[str]:
    arguments = [url, str(spool), str(start), str(first), str(last)]
    return subprocess.Popen(
        [sys.executable, "-m", "tests.remote_write.driver", *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def run(kind: type[Receiver], folder: Path, events: int) -> Found:
    """Send the events through all outages; return what the receiver has then."""
    start = time.time() - events * STEP - 30
    spool = folder / "spool"
    receiver = kind(folder / "receiver")
    with Switch() as switch:
        url = switch.url + receiver.path
        driver = _drive(url, spool, start, 0, events // 2)
        assert driver.stdout is not None
        # The receiver is away at first, then it is killed in the middle, and then the network is cut.
        until(lambda: spool.exists() and any(f.stat().st_size for f in spool.glob("*.spool")), "a spool")
        switch.target = ("127.0.0.1", receiver.port)
        until(lambda: _find(receiver, time.time()).samples, "samples")
        switch.target = None
        receiver.end()
        switch.cut()
        receiver.start()
        switch.target = ("127.0.0.1", receiver.port)
        until(lambda: _find(receiver, time.time()).samples, "samples")
        switch.target = None
        switch.cut()
        assert driver.stdout.readline() == "written\n"
        driver.kill()
        driver.communicate()
        switch.target = ("127.0.0.1", receiver.port)
        driver = _drive(url, spool, start, events // 2, events)
        assert driver.stdout is not None
        assert driver.stdout.readline() == "written\n"
        until(lambda: _find(receiver, time.time()).samples >= events * WIDTH, "all samples")
        out, _ = driver.communicate("")
        assert out.split()[1:] == ["0", "0"], "nothing waits, and nothing was dropped"
    found = _find(receiver, time.time())
    receiver.stop()
    return found


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=200_000)
    events = parser.parse_args().events
    for kind in (Receiver, VictoriaMetrics):
        with tempfile.TemporaryDirectory() as name:
            begin = time.monotonic()
            found = run(kind, Path(name), events)
            print(f"{kind.__name__}: {found} of {expected(events)} in {time.monotonic() - begin:.0f} s")
