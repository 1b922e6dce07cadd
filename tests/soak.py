"""An accelerated soak test: streams that end every few seconds, with faults, and no resource may grow.

Every other time the fault is a slow link instead, so that streams are renewed while they have a backlog.

``make soak`` runs it for three minutes, ``make soak MINUTES=480`` for eight hours. The exporter runs in a
separate process, whose resources are read from /proc. Prints ten samples, a summary and the problems; exit
code 1 if something grows.
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
from tests.links import Link

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
EXPORTER = """
import dataclasses, os, sys
from pf_exporter.command_line import create_parser
from pf_exporter.service.serving import serve
from pf_exporter.process.signals import TERMINATION, SignalWaiter
from pf_exporter.config import StreamSettings, load
from pf_exporter.log import configure_logging

config = load(create_parser().parse_args(["--web.listen-address=127.0.0.1:0"]), os.environ)
configure_logging(config.log.level, config.log.format)
stream = StreamSettings(backoff_min=0.05, backoff_max=0.5, rotate_after=2.0)
sys.exit(serve(dataclasses.replace(config, stream=stream), SignalWaiter(*TERMINATION)))
"""
"""The exporter, with times below the minimum that a configuration may set."""
SLOW_SHARE = 0.5
"""How often the fault is a slow link."""
SLOW_RATE = 20_000.0
"""Bytes per second, less than the events take."""
GROWTH_MIB = 4.0
"""Allowed growth of resident memory from the second quarter of the run to the last, for the allocator."""


class Sample(NamedTuple):
    """The resources and counters of the exporter at one time."""

    seconds: float
    rss_mib: float
    descriptors: int
    threads: int
    connects: int
    events: int
    renewals: int
    """Planned ones."""
    lost: int
    """Events lost at renewals, at least."""


def read_resources(pid: int) -> tuple[float, int, int]:
    """Return resident memory in MiB, open descriptors and threads of a process."""
    status = Path(f"/proc/{pid}/status").read_text()
    rss = re.search(r"VmRSS:\s+(\d+) kB", status)
    threads = re.search(r"Threads:\s+(\d+)", status)
    assert rss is not None
    assert threads is not None
    return int(rss[1]) / 1024, len(os.listdir(f"/proc/{pid}/fd")), int(threads[1])


def read_counters(url: str) -> tuple[int, int, int, int]:
    """Scrape the exporter, and return the streams opened, events received, renewals, and events lost."""
    with urlopen(url, timeout=10) as response:
        page = response.read().decode()
    connects = re.search(r"packetfabric_stream_connects_total{.*} (\S+)", page)
    events = re.findall(r"packetfabric_stream_events_total{.*} (\S+)", page)
    renewals = re.search(r'packetfabric_stream_disconnects_total{.*reason="rotated"} (\S+)', page)
    lost = re.search(r'packetfabric_stream_events_lost_total{.*reason="rotated"} (\S+)', page)
    assert connects is not None
    assert renewals is not None
    assert lost is not None
    return int(float(connects[1])), int(sum(map(float, events))), int(float(renewals[1])), int(float(lost[1]))


def find_problems(samples: list[Sample]) -> list[str]:
    """Return what grew or did not work, one sentence each."""
    quarter = len(samples) // 4
    early, late = samples[quarter : 2 * quarter], samples[-quarter:]
    problems = []
    growth = statistics.median(s.rss_mib for s in late) - statistics.median(s.rss_mib for s in early)
    if growth > GROWTH_MIB:
        problems.append(f"resident memory grew by {growth:.1f} MiB")
    # Medians, because minimum and maximum are from moments without a stream, or with two.
    for name in ("descriptors", "threads"):
        before, after = (statistics.median(getattr(s, name) for s in part) for part in (early, late))
        if after > before:
            problems.append(f"{name} grew from {before:g} to {after:g}")
    if late[-1].connects - early[0].connects < 3:
        problems.append("fewer than 3 streams were opened, so nothing was tested")
    if late[-1].renewals <= early[0].renewals:
        problems.append("no stream was renewed, so nothing was tested")
    if late[-1].lost:
        problems.append(f"{late[-1].lost} renewals cut a backlog")
    if late[-1].events <= early[-1].events:
        problems.append("no more events were received")
    return problems


def summarize(samples: list[Sample]) -> str:
    """Return the figures of a run, with the slope of resident memory in its second half."""
    late = samples[len(samples) // 2 :]
    slope = statistics.linear_regression([s.seconds for s in late], [s.rss_mib for s in late]).slope
    last = samples[-1]
    return (
        f"{last.connects:,} streams, {last.renewals:,} of them renewals, {last.events:,} events;"
        f" RSS {late[0].rss_mib:.1f} MiB after half of the time, {last.rss_mib:.1f} at the end,"
        f" slope {slope * 3600:+.1f} MiB per hour;"
        f" at most {max(s.descriptors for s in samples)} descriptors"
        f" and {max(s.threads for s in samples)} threads"
    )


def run(minutes: float, seed: int) -> list[str]:
    """Run the soak test, and return the problems."""
    logging.getLogger("uvicorn.error").setLevel(
        logging.CRITICAL
    )  # logs an error for each stream that is broken off
    rng = random.Random(seed)
    options = Options(
        listen_address="127.0.0.1:0", interval=0.5, heartbeat=0.5, max_connection=12.0, ports=24, vcs=24
    )
    with Simulator(options) as simulator, Link(simulator.url) as link:
        exporter = subprocess.Popen(
            [sys.executable, "-c", EXPORTER],
            env={**os.environ, "MALLOC_ARENA_MAX": "1", "PF_HOST": link.url, "PF_TOKEN": simulator.api_key},
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
        start = time.monotonic()
        end = start + minutes * 60
        titles = ("RSS MiB", "fds", "threads", "streams", "events", "renewals", "lost")
        print(f"{'seconds':>8}" + "".join(f"{title:>9}" for title in titles))
        printed = 0
        try:
            while time.monotonic() < end:
                if rng.random() < SLOW_SHARE:
                    link.rate = SLOW_RATE
                    pause.wait(rng.uniform(1.0, 3.0))
                    link.rate = float("inf")
                else:
                    fault = rng.choice(FAULTS)
                    simulator.faults.add(fault)
                    pause.wait(rng.uniform(0.2, 1.0))
                    simulator.faults.discard(fault)
                pause.wait(rng.uniform(0.2, 1.0))
                seconds = time.monotonic() - start
                samples.append(
                    Sample(
                        seconds, *read_resources(exporter.pid), *read_counters(f"http://{address}/metrics")
                    )
                )
                if seconds * 10 >= printed * minutes * 60:
                    printed += 1
                    print("{:8.0f}{:9.1f}{:9}{:9}{:9}{:9}{:9}{:9}".format(*samples[-1]), flush=True)
        finally:
            exporter.terminate()
            code = exporter.wait(10)
        print(summarize(samples))
        problems = find_problems(samples)
        if code != 0:
            problems.append(f"the exporter exited with code {code}")
        return problems


def main() -> int:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=3.0)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    problems = run(arguments.minutes, arguments.seed)
    print("\n".join(problems) or "No problems.")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
