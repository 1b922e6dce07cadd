"""What a start costs: time to the first page, memory and CPU time, compared with a trivial exporter."""

from __future__ import annotations

import contextlib
import os
import resource
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from pf_exporter.simulator import Options, Simulator

TRIVIAL = """
import sys, threading
from prometheus_client import Gauge, start_http_server
Gauge("answer", "The answer.").set(42)
start_http_server(int(sys.argv[1]), "127.0.0.1")
threading.Event().wait()
"""
"""The least that an exporter in Python can be: one metric, served by prometheus-client itself."""

PORTS = 25
"""Ports of the simulated network; with four events each per second, 100 events per second."""


CLOSED_PORT = "127.0.0.1:1"
"""An address on which nothing listens."""


class Start(NamedTuple):
    """Measurements of one process."""

    first_page: float
    """Seconds from the start of the process to the first page of metrics."""
    resident: int
    """Bytes of resident memory at rest, after ten pages."""
    load: float
    """Share of a core while it is left alone."""


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
        return port


def _fetch(url: str, deadline: float) -> None:
    """Request a page until there is an answer."""
    while True:
        try:
            with urllib.request.urlopen(url, timeout=5) as response:
                response.read()
            return
        except urllib.error.URLError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.001)


def _cpu(pid: int) -> float:
    with open(f"/proc/{pid}/stat", encoding="ascii") as stat:
        fields = stat.read().rpartition(") ")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _resident(pid: int) -> int:
    with open(f"/proc/{pid}/statm", encoding="ascii") as statm:
        return int(statm.read().split()[1]) * os.sysconf("SC_PAGESIZE")


def _measure(command: Sequence[str], url: str, environ: dict[str, str], seconds: float) -> Start:
    begin = time.monotonic()
    with subprocess.Popen(command, env=os.environ | environ, stderr=subprocess.DEVNULL) as process:
        try:
            _fetch(url, begin + 60)
            first_page = time.monotonic() - begin
            for _ in range(10):
                _fetch(url, begin + 60)
            time.sleep(min(seconds, 2.0))  # The streams open, and the lists are polled.
            before, start = _cpu(process.pid), time.monotonic()
            time.sleep(seconds)
            load = (_cpu(process.pid) - before) / (time.monotonic() - start)
            return Start(first_page, _resident(process.pid), load)
        finally:
            process.kill()


def trivial(seconds: float) -> Start:
    """Measure the trivial exporter."""
    port = _free_port()
    command = [sys.executable, "-c", TRIVIAL, str(port)]
    return _measure(command, f"http://127.0.0.1:{port}/metrics", {}, seconds)


@contextlib.contextmanager
def simulated_network() -> Iterator[Simulator]:
    """A simulated PacketFabric that sends 100 events per second."""
    options = Options(ports=PORTS, vcs=0, interval=1.0, listen_address="127.0.0.1:0")
    with Simulator(options) as simulator:
        yield simulator


def exporter(simulator: Simulator, seconds: float) -> Start:
    """Measure the exporter with one account."""
    address = f"127.0.0.1:{_free_port()}"
    command = [sys.executable, "-m", "pf_exporter", f"--web.listen-address={address}"]
    environ = {"PF_HOST": simulator.url, "PF_TOKEN": simulator.api_key}
    return _measure(command, f"http://{address}/metrics", environ, seconds)


def cpu_time(*command: str) -> float:
    """Return the CPU seconds of a Python process that ends by itself."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(
        [sys.executable, *command], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False
    )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
