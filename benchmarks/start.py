"""What a start costs: time to the first page, memory and CPU time, compared with a trivial exporter."""

from __future__ import annotations

import contextlib
import http.server
import os
import re
import resource
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from pf_exporter.server import HEALTHY
from pf_exporter.simulator import Options, Simulator

TRIVIAL = """
import sys, threading
from prometheus_client import Gauge, start_http_server
Gauge("answer", "The answer.").set(42)
server, _ = start_http_server(0, "127.0.0.1")
print(f"listening 127.0.0.1:{server.server_port}", file=sys.stderr, flush=True)
threading.Event().wait()
"""
"""The least that an exporter in Python can be: one metric, served by prometheus-client itself."""

LIBRARIES = """
import socket, sys
import isal.isal_zlib, msgspec, requests, sseclient, uvicorn
from prometheus_client import Gauge, generate_latest
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response
from starlette.routing import Route

async def page(request):
    return Response(await run_in_threadpool(generate_latest))

Gauge("answer", "The answer.").set(42)
app = Starlette(routes=[Route("/metrics", page)])
config = uvicorn.Config(app, loop="asyncio", http="h11", ws="none", lifespan="off", log_level="error")
listener = socket.create_server(("127.0.0.1", 0))
print(f"listening 127.0.0.1:{listener.getsockname()[1]}", file=sys.stderr, flush=True)
uvicorn.Server(config).run(sockets=[listener])
"""
"""The same metric, served by the libraries of pf_exporter: its memory without its own code and data."""

PORTS = 25
"""Ports of the simulated network; with four events each per second, 100 events per second."""


# A setting of developers; an installed exporter has its modules as bytecode.
_ENVIRON = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}


class _Healthy(http.server.BaseHTTPRequestHandler):
    """Answers as a healthy exporter does."""

    def do_GET(self) -> None:
        """Respond to the health check."""
        self.send_response(200)
        self.end_headers()
        self.wfile.write(f"{HEALTHY}\n".encode())

    def log_message(self, format: str, *args: object) -> None:
        """Log nothing."""


class Start(NamedTuple):
    """Measurements of one process."""

    first_page: float
    """Seconds from the start of the process to the first page of metrics."""
    resident: int
    """Bytes of resident memory at rest, after ten pages."""
    load: float
    """Share of a core while it is left alone."""
    stop: float
    """Seconds from SIGTERM to its end."""


def _url(process: subprocess.Popen[str]) -> str:
    """Wait until the process logs its address."""
    assert process.stderr is not None
    lines = []
    for line in process.stderr:
        lines.append(line)
        if match := re.search(r"listening.*?(127\.0\.0\.1:\d+)", line):
            return f"http://{match[1]}/metrics"
    raise RuntimeError("the process ended: " + "".join(lines))


def _fetch(url: str) -> None:
    with urllib.request.urlopen(url, timeout=60) as response:
        response.read()


def _cpu(pid: int) -> float:
    with open(f"/proc/{pid}/stat", encoding="ascii") as stat:
        fields = stat.read().rpartition(") ")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _resident(pid: int) -> int:
    with open(f"/proc/{pid}/statm", encoding="ascii") as statm:
        return int(statm.read().split()[1]) * os.sysconf("SC_PAGESIZE")


def _measure(command: Sequence[str], environ: dict[str, str], seconds: float) -> Start:
    begin = time.monotonic()
    with subprocess.Popen(command, env=_ENVIRON | environ, stderr=subprocess.PIPE, text=True) as process:
        try:
            url = _url(process)
            _fetch(url)
            first_page = time.monotonic() - begin
            for _ in range(10):
                _fetch(url)
            time.sleep(min(seconds, 2.0))  # The streams open, and the lists are polled.
            before, start = _cpu(process.pid), time.monotonic()
            time.sleep(seconds)
            load = (_cpu(process.pid) - before) / (time.monotonic() - start)
            resident = _resident(process.pid)
            terminated = time.monotonic()
            process.terminate()
            process.wait()
            return Start(first_page, resident, load, time.monotonic() - terminated)
        finally:
            process.kill()


def trivial(seconds: float, program: str = TRIVIAL) -> Start:
    """Measure the trivial exporter, or another program with one metric."""
    return _measure([sys.executable, "-c", program], {}, seconds)


@contextlib.contextmanager
def healthy_server() -> Iterator[str]:
    """The address of a server that answers health checks and does nothing else."""
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Healthy) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"127.0.0.1:{server.server_port}"
        server.shutdown()


@contextlib.contextmanager
def simulated_network() -> Iterator[Simulator]:
    """A simulated PacketFabric that sends 100 events per second."""
    options = Options(ports=PORTS, vcs=0, interval=1.0, listen_address="127.0.0.1:0")
    with Simulator(options) as simulator:
        yield simulator


def exporter(simulator: Simulator, seconds: float) -> Start:
    """Measure the exporter with one account."""
    command = [sys.executable, "-m", "pf_exporter", "--web.listen-address=127.0.0.1:0"]
    environ = {"PF_HOST": simulator.url, "PF_TOKEN": simulator.api_key}
    return _measure(command, environ, seconds)


def cpu_time(*command: str) -> float:
    """Return the CPU seconds of a Python process that ends by itself."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(
        [sys.executable, *command],
        env=_ENVIRON,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        check=False,
    )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
