"""A process that serves 50,000 circuits, for measurements of its memory.

Writes the address. For each line of its input it changes every circuit, and writes its resident bytes.
"""

from __future__ import annotations

import gc
import os
import sys
import time
from pathlib import Path

from prometheus_client import CollectorRegistry

from pf_exporter.metrics.exposition import Exposition
from pf_exporter.schema import EVENTS, Observation
from pf_exporter.server.middleware import guard
from pf_exporter.server.reloader import WebConfigReloader
from pf_exporter.server.server import Server
from pf_exporter.state.store import Store
from pf_exporter.web.app import create_app

CIRCUITS = 50_000
EVENT = EVENTS["port|metrics"]


def resident() -> int:
    """The resident memory of this process in bytes."""
    gc.collect()
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGESIZE")


def write(store: Store, number: int) -> None:
    """Write a new observation of every circuit."""
    for circuit in range(CIRCUITS):
        values = tuple(float(number * 10**7 + circuit * field) for field in range(len(EVENT.fields)))
        store.write("a", observation(f"PF-AP-LAX1-{1_000_000 + circuit}", values, float(number)), time.time())


def observation(circuit: str, values: tuple[float, ...], timestamp: float) -> Observation:
    """An observation of a port."""
    return Observation(EVENT, (circuit,), (), values, timestamp)


def main() -> None:
    """Serve until the end of the input."""
    store = Store(ttl=1e9, limit=10**7)
    store.add_account("a")
    write(store, 0)
    reloader = WebConfigReloader()
    app = create_app(Exposition(store, CollectorRegistry()), telemetry_path="/metrics", problem=str)
    with Server(
        guard(app, reloader, max_requests=40), ["127.0.0.1:0"], name="web", response_timeout=120.0
    ) as server:
        print(server.addresses[0], flush=True)
        for number, _ in enumerate(sys.stdin, 1):
            print(resident(), flush=True)
            write(store, number)


if __name__ == "__main__":
    main()
