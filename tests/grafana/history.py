"""Days of /metrics of an exporter on the simulated network, written as blocks that Prometheus can load."""

from __future__ import annotations

import itertools
import json
import re
import subprocess
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import NamedTuple, TextIO

from prometheus_client.metrics_core import Metric
from prometheus_client.samples import Sample

from pf_exporter.config.accounts import Account
from pf_exporter.inventory.poll_stats import PollStats
from pf_exporter.inventory.snapshot import Snapshot
from pf_exporter.metrics.exporter_collector import ExporterCollector
from pf_exporter.metrics.inventory_collector import InventoryCollector
from pf_exporter.metrics.recording_collector import RecordingCollector
from pf_exporter.metrics.remote_storage_collector import RemoteStorageCollector
from pf_exporter.reason import Reason
from pf_exporter.recording.stats import RecordingStats
from pf_exporter.remote_write.stats import EndpointStats
from pf_exporter.schema.labels import canonical_id
from pf_exporter.schema.parsers import Samples
from pf_exporter.schema.polled_resource import ReadContext
from pf_exporter.schema.polled_resource import Sample as PolledSample
from pf_exporter.schema.resource import Resource
from pf_exporter.schema.resources.cloud_router_connection_rates import CLOUD_ROUTER_CONNECTION_RATES, RATES
from pf_exporter.schema.resources.cloud_router_connections import CLOUD_ROUTER_CONNECTIONS
from pf_exporter.schema.resources.ports import PORTS
from pf_exporter.schema.resources.virtual_circuits import VIRTUAL_CIRCUITS
from pf_exporter.simulator import Network
from pf_exporter.simulator.resources import Query, cloud_router_connections, ports, virtual_circuits
from pf_exporter.state.stats import AccountStats, StreamState
from pf_exporter.state.store import Store
from pf_exporter.stream.processor import EventProcessor
from tests.conftest import tool
from tests.grafana.polled import polled_metrics
from tests.metrics.reference_collector import ReferenceCollector

TARGETS = tuple({"job": "packetfabric", "instance": f"pf-exporter-{index}:10054"} for index in (1, 2))
"""Two replicas that serve the same account."""
ONE_ENDED = 1
"""Index of the circuit whose Z end belongs to another customer, so that nothing reports it."""
SESSION_LIFETIME = 30 * 86400.0
ROTATION_INTERVAL = 115 * 60
OUTAGE_INTERVAL = 8 * 3600.0
"""Seconds between two short gaps in the stream."""
_TRAFFIC = re.compile(r"packetfabric_(port|vc)_(?:receive|transmit)_bytes_per_second")
"""Metrics of which the rules record averages."""


class _Frame(NamedTuple):
    event: str
    data: str


class _Inventory:
    """What :class:`InventoryCollector` reads of an inventory, polled from the network without HTTP."""

    def __init__(self, network: Network, account: str) -> None:
        self._network = network
        self._rates: dict[str, list[PolledSample]] = {}
        self.stats = PollStats(())
        self.account = account
        self.snapshot = Snapshot()
        self.failures = {"unavailable": 0}
        self.rejected = {field: 0 for resource in (PORTS, VIRTUAL_CIRCUITS) for field in resource.fields}

    def poll(self, at: float) -> None:
        lists = (
            (PORTS, ports.PORTS),
            (VIRTUAL_CIRCUITS, virtual_circuits.VIRTUAL_CIRCUITS),
            (CLOUD_ROUTER_CONNECTIONS, cloud_router_connections.CLOUD_ROUTER_CONNECTIONS),
        )
        circuits = {}
        for resource, simulated in lists:
            rows = simulated.answer(Query(self._network, at))
            assert isinstance(rows, list)
            parsed = (resource.parse(row, ())[0] for row in rows)
            circuits[resource.name] = {canonical_id(circuit.id): circuit for circuit in parsed if circuit}
        self.snapshot = self.snapshot.updated(circuits, 10**6, at)
        for connection in self.snapshot.of(CLOUD_ROUTER_CONNECTIONS).values():
            self._rates[connection.id] = self._latest(connection.id, at)

    def _latest(self, connection: str, at: float) -> list[PolledSample]:
        """Return the newest rates of a cloud router connection."""
        samples: list[PolledSample] = []
        for kind in RATES:
            path = {"connection": connection, "type": kind}
            rows = cloud_router_connections.CONNECTION_RATES.answer(Query(self._network, at, path=path))
            samples += CLOUD_ROUTER_CONNECTION_RATES.read(rows, ReadContext(connection, kind)).samples
        return samples

    def samples(self) -> Iterator[tuple[Resource, str, Mapping[str, Samples]]]:
        for resource in (PORTS, VIRTUAL_CIRCUITS, CLOUD_ROUTER_CONNECTIONS):
            for circuit in self.snapshot.of(resource).values():
                yield resource, circuit.id, circuit.samples

    def polled_samples(self) -> Iterator[PolledSample]:
        return itertools.chain.from_iterable(self._rates.values())


class _Endpoint:
    """What :class:`RemoteStorageCollector` reads of an endpoint that takes 1,000 samples a second."""

    name = "main"
    pending = 0
    spool_bytes = 0

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock

    @property
    def stats(self) -> EndpointStats:
        stats = EndpointStats(self.name)
        now = self._clock()
        stats.sent(round(now) % 10**9 * 1000, 20_000, round(now * 1000))
        return stats


class _SteppedExporter:
    """The parts of one exporter, assembled as in the service, with a clock that each step sets."""

    def __init__(self, network: Network, account: str = "default") -> None:
        self.now = 0.0
        self._network = network
        self._stats = AccountStats(Account(name=account), idle_timeout=600, clock=self._clock)
        store = Store(ttl=1200, limit=10**6, clock=self._clock)
        store.add_account(account)
        self._processor = EventProcessor(store, self._stats, wall=self._wall)
        self._inventory = _Inventory(self._network, account)
        self._collectors = (
            ReferenceCollector(store),
            InventoryCollector([self._inventory], store),
            ExporterCollector([self._stats], revision="abcdef"),
            RecordingCollector(RecordingStats()),
            RemoteStorageCollector([_Endpoint(self._clock)]),
        )

    def _clock(self) -> float:
        return self.now

    def _wall(self) -> float:
        # Events arrive 0.3 to 2 seconds late.
        return self.now + 0.3 + self.now % 7 / 4

    def _belongs_to_another(self, data: Mapping[str, object]) -> bool:
        circuit = self._network.circuits[ONE_ENDED]
        end = circuit.circuit_id, circuit.z.port.circuit_id
        return (data.get("vc_circuit_id"), data.get("port_circuit_id")) == end

    def step(self, since: float, at: float) -> Iterator[Metric]:
        """Process the events between two times, and yield all families on /metrics afterwards."""
        self.now = at
        stats = self._stats
        if stats.state is StreamState.CONNECTING:
            stats.session.login_attempts += 1
            stats.session.expires_at = at + SESSION_LIFETIME
            stats.opened()
        elif at % OUTAGE_INTERVAL < at - since:
            stats.lost(Reason.BROKEN, StreamState.BACKOFF)
        elif stats.state is StreamState.BACKOFF:
            stats.opened()
        elif at % ROTATION_INTERVAL < at - since:
            stats.rotated()
        stats.last_byte_at = at
        for name, data in (*self._network.activity(at, since), *self._network.measurements(at)):
            if stats.state is StreamState.STREAMING and not self._belongs_to_another(data):
                frame = _Frame(name, json.dumps(data))
                stats.bytes += len(frame.data)
                self._processor.process(frame)
        if at % 300 < at - since:
            self._inventory.poll(at)
        for collector in self._collectors:
            yield from collector.collect()
        yield from _target_metrics(at)
        yield from _alerts(self._network, at)
        yield from polled_metrics(self._network, at)


def _target_metrics(at: float) -> Iterator[Metric]:
    """Yield the metrics that Prometheus adds to a target, and those about the process."""
    for name, value in (
        ("up", 1.0),
        ("scrape_duration_seconds", 0.004 + at % 11 / 5000),
        ("scrape_samples_scraped", 1400.0),
        ("process_resident_memory_bytes", 58e6 + at % 13 * 1e5),
        ("process_cpu_seconds_total", at % 1e7 / 300),
        ("process_start_time_seconds", at - at % 1e6),
    ):
        metric = Metric(name, "", "unknown")
        metric.samples.append(Sample(name, {}, value))
        yield metric


def _alerts(network: Network, at: float) -> Iterator[Metric]:
    """Yield what Prometheus writes about firing alerts: one about a port, one about a virtual circuit."""
    port, circuit = network.ports[1].circuit_id, network.circuits[0].circuit_id
    firing = (
        {"alertname": "PacketFabricPortDown", "severity": "critical", "port_circuit_id": port},
        {"alertname": "PacketFabricVcAtRateLimit", "severity": "warning", "vc_circuit_id": circuit},
    )
    for name, labels, value in (
        ("ALERTS", {"alertstate": "firing"}, 1.0),
        ("ALERTS_FOR_STATE", {}, at - at % 7200),
    ):
        metric = Metric(name, "", "unknown")
        for alert in firing:
            metric.samples.append(Sample(name, {"account": "default", **alert, **labels}, value))
        yield metric


def _write(out: TextIO, metrics: Iterable[Metric], at: float, targets: Iterable[Mapping[str, str]]) -> None:
    """Write the samples of each target, and those that the rules record every five minutes."""
    added = [",".join(f'{key}="{value}"' for key, value in target.items()) for target in targets]
    for metric in metrics:
        for sample in metric.samples:
            labels = "".join(f"{key}={json.dumps(value)}," for key, value in sample.labels.items())
            for target in added:
                out.write(f"{sample.name}{{{labels}{target}}} {sample.value!r} {at:.0f}\n")
            if kind := re.fullmatch(
                r"packetfabric_(port|vc)_(?:receive|transmit)_bytes_per_second", sample.name
            ):
                recorded = f'{kind[1]}:{sample.name}:avg5m{{{labels}job="packetfabric"}}'
                out.write(f"{recorded} {sample.value!r} {at:.0f}\n")


def write_history(
    folder: Path,
    times: Iterable[float],
    network: Network | None = None,
    targets: Iterable[Mapping[str, str]] = TARGETS,
) -> Path:
    """Write a data directory for Prometheus with a scrape of each target at each time, and return it."""
    page, data = folder / "history.om", folder / "data"
    exporter = _SteppedExporter(network or Network())
    since: float | None = None
    with page.open("w") as out:
        for at in times:
            _write(out, exporter.step(at - 60 if since is None else since, at), at, targets)
            since = at
        out.write("# EOF\n")
    subprocess.run(
        # Few blocks, because each one reads the whole page.
        [
            tool("promtool"),
            "tsdb",
            "create-blocks-from",
            "--max-block-duration=4096h",
            "openmetrics",
            page,
            data,
        ],
        check=True,
        capture_output=True,
        timeout=300,
    )
    page.unlink()
    return data
