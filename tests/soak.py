"""An accelerated soak: cuts every few seconds, faults mixed in, and no resource may grow.

``make soak`` runs it for three minutes, ``make soak MINUTES=480`` for a night. The exporter is a process of
its own; what it holds is read from /proc. Prints a line every tenth of the run and a verdict; exit code 1 if
something grows.
"""

from __future__ import annotations

import argparse
import logging
import os
import random
import re
import statistics
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import NamedTuple
from urllib.request import urlopen

from pf_exporter.simulator import Options, Simulator

FAULTS = (
    *("stream-cut:20", "stream-500", "stream-404", "stream-204", "stream-html", "stream-garbage"),
    *(
        "subscribe-500",
        "subscribe-empty",
        "duplicate-events",
        "out-of-order",
        "no-second-connection",
        "kick-first",
    ),
)
PROGRAM = (sys.executable, "-m", "pf_exporter", "--web.listen-address=127.0.0.1:0")
GROWTH_MIB = 4.0
"""Of resident memory, between the second quarter of the run and the last: an allocator may need it."""


class Sample(NamedTuple):
    """What the exporter held at a moment."""

    seconds: float
    rss_mib: float
    descriptors: int
    threads: int
    connects: int
    events: int


def held(pid: int) -> tuple[float, int, int]:
    """Resident memory in MiB, open descriptors and threads of a process."""
    status = Path(f"/proc/{pid}/status").read_text()
    rss = re.search(r"VmRSS:\s+(\d+) kB", status)
    threads = re.search(r"Threads:\s+(\d+)", status)
    assert rss is not None
    assert threads is not None
    return int(rss[1]) / 1024, len(os.listdir(f"/proc/{pid}/fd")), int(threads[1])


def scraped(url: str) -> tuple[int, int]:
    """Streams opened and events taken so far, off the exporter's page."""
    with urlopen(url, timeout=10) as answer:
        page = answer.read().decode()
    connects = re.search(r"packetfabric_stream_connects_total{.*} (\S+)", page)
    events = re.findall(r"packetfabric_stream_events_total{.*} (\S+)", page)
    assert connects is not None
    return int(float(connects[1])), int(sum(map(float, events)))


def verdict(samples: list[Sample]) -> list[str]:
    """What grew, in words; nothing if all is well."""
    quarter = len(samples) // 4
    early, late = samples[quarter : 2 * quarter], samples[-quarter:]
    faults = []
    growth = statistics.median(s.rss_mib for s in late) - statistics.median(s.rss_mib for s in early)
    if growth > GROWTH_MIB:
        faults.append(f"resident memory grew by {growth:.1f} MiB")
    # The middle one: the least and the most are those of a moment without a stream, or with two.
    for name in ("descriptors", "threads"):
        before, after = (statistics.median(getattr(s, name) for s in part) for part in (early, late))
        if after > before:
            faults.append(f"{name} grew from {before:g} to {after:g}")
    if late[-1].connects - early[0].connects < 3:
        faults.append("hardly any stream was opened: nothing was tested")
    if late[-1].events <= early[-1].events:
        faults.append("no events arrive any more")
    return faults


def run(minutes: float, seed: int) -> list[str]:
    """Soak for so long; what grew."""
    logging.getLogger("uvicorn.error").setLevel(logging.CRITICAL)  # it complains of the streams we cut
    chance = random.Random(seed)  # not for secrets
    options = Options(
        listen_address="127.0.0.1:0", interval=0.5, heartbeat=0.5, max_connection=3.0, ports=24, vcs=24
    )
    with Simulator(options) as simulator:
        exporter = subprocess.Popen(
            [*PROGRAM, "--stream.backoff-min=50ms", "--stream.backoff-max=500ms", "--stream.rotate-after=2s"],
            env={**os.environ, "PF_HOST": simulator.url, "PF_TOKEN": simulator.api_key},
            stderr=subprocess.PIPE,
            text=True,
        )
        assert exporter.stderr is not None
        address = ""
        while not address:
            line = exporter.stderr.readline()
            assert line, "the exporter did not start"
            if match := re.search(r"addresses=(\S+)", line):
                address = match[1]
        threading.Thread(target=exporter.stderr.read, daemon=True).start()
        pause = threading.Event()
        samples: list[Sample] = []
        began = time.monotonic()
        end = began + minutes * 60
        print(f"{'seconds':>8} {'RSS MiB':>8} {'fds':>5} {'threads':>8} {'streams':>8} {'events':>9}")
        shown = 0
        try:
            while time.monotonic() < end:
                fault = chance.choice(FAULTS)
                simulator.faults.add(fault)
                pause.wait(chance.uniform(0.2, 1.0))
                simulator.faults.discard(fault)
                pause.wait(chance.uniform(0.2, 1.0))
                since = time.monotonic() - began
                samples.append(Sample(since, *held(exporter.pid), *scraped(f"http://{address}/metrics")))
                if since * 10 >= shown * minutes * 60:
                    shown += 1
                    s = samples[-1]
                    figures = f"{s.rss_mib:8.1f} {s.descriptors:5} {s.threads:8} {s.connects:8} {s.events:9}"
                    print(f"{s.seconds:8.0f} {figures}", flush=True)
        finally:
            exporter.terminate()
            code = exporter.wait(10)
        faults = verdict(samples)
        if code != 0:
            faults.append(f"the exporter ended with code {code}")
        return faults


def main() -> int:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=3.0)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    faults = run(arguments.minutes, arguments.seed)
    print("\n".join(faults) or "Nothing grew.")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
