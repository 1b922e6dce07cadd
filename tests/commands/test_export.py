"""The exporter as a process whose log nobody reads."""

from __future__ import annotations

import re
import signal
import subprocess
import sys

from pf_exporter.log.writer import MAX_LINES
from tests.conftest import get, until
from tests.fakes import Fake, dead_url, event

METRICS = {"port_circuit_id": "PF-AP-LAX1-1", "bytes_rx_total": 1000}
LOGIN = {"log_level": "info", "message": "logged in"}


def test_a_blocked_stderr_stops_nothing(full_pipe: int) -> None:
    """With a standard error that nobody reads the exporter streams, serves, and ends within two seconds."""
    url = dead_url()
    with Fake() as fake:
        process = subprocess.Popen(
            [sys.executable, "-m", "pf_exporter", f"--web.listen-address={url.removeprefix('http://')}"],
            stdout=subprocess.DEVNULL,
            stderr=full_pipe,
            env={"PATH": "/usr/bin:/bin", "PF_HOST": fake.url, "PF_TOKEN": "key"},
        )
        try:
            fake.wait_for(lambda: fake.streams, 20.0)
            # Each activity is a line of the log: more of them than the queue can hold.
            fake.send(*[event("customer|auth", LOGIN)] * (3 * MAX_LINES), event("port|metrics", METRICS))
            until(
                lambda: re.search(rb"_receive_bytes_total\{.*\} 1000", get(f"{url}/metrics")[2]), "the event"
            )
            process.send_signal(signal.SIGTERM)
            assert process.wait(2.0) == 0
        finally:
            process.kill()
            process.wait()
