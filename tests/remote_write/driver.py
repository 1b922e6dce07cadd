"""A process that writes numbered events into a store with remote write, for tests that kill it.

``python -m tests.remote_write.driver URL SPOOL START FIRST LAST``: the value of each event is its number. It
writes a line when all events are on disk, and stops when its standard input ends.
"""

from __future__ import annotations

import sys
import time

from pf_exporter.config import RemoteWriteSettings
from pf_exporter.log import configure_logging
from pf_exporter.remote_write import RemoteWrite
from pf_exporter.schema import EVENTS, Observation
from pf_exporter.state import Store

PORTS = 500
STEP = 0.01
"""Seconds between the times of two events."""
EVENT = EVENTS["port|metrics"]
WIDTH = len(EVENT.fields)
BLOCK = 2000


def observation(number: int, start: float) -> Observation:
    """The event of a number."""
    port = (f"PF-AP-LAX1-{number % PORTS}",)
    return Observation(EVENT, port, (), (float(number),) * WIDTH, start + number * STEP)


def main(url: str, spool: str, start: float, first: int, last: int) -> None:
    """Write the events and wait."""
    configure_logging("warn", "logfmt")
    settings = RemoteWriteSettings(url=url, spool_path=spool, send=("stream",))
    remote_write = RemoteWrite([settings], "host:1", lambda exc: sys.exit(str(exc)), interval=1e9)
    store = Store(ttl=1e9, limit=10**9, sink=remote_write)
    store.add_account("east")
    (endpoint,) = remote_write.endpoints
    remote_write.start({})
    for number in range(first, last):
        store.write("east", observation(number, start), time.time())
        if number % BLOCK == 0:
            while endpoint.is_encoding:  # slower than the queue in memory would drop them
                time.sleep(0.01)
    while endpoint.is_encoding:
        time.sleep(0.01)
    print("written", flush=True)
    sys.stdin.read()
    remote_write.stop()
    print(endpoint.stats.samples, endpoint.pending, sum(endpoint.stats.dropped.values()), flush=True)


if __name__ == "__main__":
    url, spool, start, first, last = sys.argv[1:]
    main(url, spool, float(start), int(first), int(last))
