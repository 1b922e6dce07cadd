"""From the store to metric families, new ones at every scrape."""

from __future__ import annotations

from collections.abc import Iterator

from prometheus_client.core import GaugeMetricFamily
from prometheus_client.metrics_core import Metric

from pf_exporter.metrics.metric_family import family, sentence
from pf_exporter.schema import EVENTS, EventType
from pf_exporter.state import Row, Store

PORT_FRESHNESS = "packetfabric_port_last_event_timestamp_seconds"
VC_FRESHNESS = "packetfabric_vc_last_event_timestamp_seconds"
SERIES = "packetfabric_series"

_RowsByAccount = dict[str, list[tuple[tuple[str, ...], Row]]]


def _freshness() -> tuple[GaugeMetricFamily, GaugeMetricFamily]:
    return (
        GaugeMetricFamily(
            PORT_FRESHNESS,
            sentence("When the last event of a category came for the port; stays when the port falls silent"),
            labels=("account", "port_circuit_id", "category"),
            unit="seconds",
        ),
        GaugeMetricFamily(
            VC_FRESHNESS,
            sentence(
                "When the last event came for the circuit's end on the port; stays when it falls silent"
            ),
            labels=("account", "vc_circuit_id", "port_circuit_id"),
            unit="seconds",
        ),
    )


def _series() -> GaugeMetricFamily:
    help = "Series held for the account's circuits, which the limit of series bounds"
    return GaugeMetricFamily(SERIES, sentence(help), labels=("account",))


class Collector:
    """A collector of prometheus_client over everything the store holds."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def describe(self) -> Iterator[Metric]:
        """The families without their samples."""
        for event in EVENTS.values():
            for known in event.fields.values():
                yield family(known.name, known.type, known.documentation, known.labels)
        yield from _freshness()
        yield _series()

    def collect(self) -> Iterator[Metric]:
        """The families as they are now; of one event either everything is in them or nothing."""
        rows = {name: self._store.rows(name) for name in EVENTS}
        for name, event in EVENTS.items():
            yield from _numbers(event, rows[name])
        ports, vcs = _freshness()
        for name, event in EVENTS.items():
            kind, category = name.split("|")
            for account, known in rows[name].items():
                if kind == "port":
                    for (port,), row in known:
                        ports.add_metric((account, port, category), row.received_at)
                else:
                    # Two VLANs of one circuit can end on one port.
                    latest: dict[tuple[str, ...], float] = {}
                    at = [event.circuit.index(label) for label in ("vc_circuit_id", "port_circuit_id")]
                    for circuit, row in known:
                        end = tuple(circuit[index] for index in at)
                        latest[end] = max(latest.get(end, 0.0), row.received_at)
                    for end, received_at in latest.items():
                        vcs.add_metric((account, *end), received_at)
        yield ports
        yield vcs
        series = _series()
        for account, count in self._store.series().items():
            series.add_metric((account,), count)
        yield series


def _numbers(event: EventType, rows: _RowsByAccount) -> Iterator[Metric]:
    width = len(event.fields)
    for column, known in enumerate(event.fields.values()):
        metric = family(known.name, known.type, known.documentation, known.labels)
        for account, circuits in rows.items():
            for circuit, row in circuits:
                values = row.values[column::width]
                ends = [(lane,) for lane in row.lanes] if event.has_lanes else [()]
                for end, value in zip(ends, values, strict=False):  # an expired row has no values
                    if value is not None:
                        metric.add_metric((account, *circuit, *end), value / known.divisor)  # type: ignore[attr-defined]
        yield metric
