"""A straightforward collector over the store: the oracle for the pages that the exposition renders."""

from __future__ import annotations

from collections.abc import Iterator

from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from pf_exporter.metrics.metric_family import Family
from pf_exporter.metrics.stream_families import SERIES, describe_stream_families
from pf_exporter.schema.event_type import EventType
from pf_exporter.schema.events import EVENTS, PORT_LAST_EVENT, VC_LAST_EVENT
from pf_exporter.state.store import Store
from pf_exporter.state.table import Row

RowsByAccount = dict[str, list[tuple[tuple[str, ...], Row]]]


class ReferenceCollector(Collector):
    """Collects everything the store holds, with an object per sample."""

    def __init__(self, store: Store, *, event_timestamps: bool = False) -> None:
        self._store = store
        self._event_timestamps = event_timestamps

    def describe(self) -> Iterator[Metric]:
        yield from describe_stream_families()

    def collect(self) -> Iterator[Metric]:
        families = {family.name: family for family in describe_stream_families()}
        rows = {name: self._store.rows(name) for name in EVENTS}
        for name, event in EVENTS.items():
            _add_values(families, event, rows[name], event_timestamps=self._event_timestamps)
            if name.startswith("port|"):
                _add_port_last_event(families[PORT_LAST_EVENT], event, rows[name])
            else:
                _add_vc_last_event(families[VC_LAST_EVENT], event, rows[name])
        for account, count in self._store.series().items():
            families[SERIES].add_metric((account,), count)
        yield from families.values()


def _add_values(
    families: dict[str, Family], event: EventType, rows: RowsByAccount, *, event_timestamps: bool
) -> None:
    width = len(event.fields)
    for column, spec in enumerate(event.fields.values()):
        family = families[spec.name.removesuffix("_total")]
        for account, circuits in rows.items():
            for circuit, row in circuits:
                timestamp = row.sampled_at if event_timestamps else None
                lanes = [(lane,) for lane in row.lanes] if event.has_lanes else [()]
                for lane, value in zip(lanes, row.values[column::width], strict=False):  # expired: no values
                    if value is not None:
                        family.add_metric(
                            (account, *circuit, *lane), value / spec.divisor, timestamp=timestamp
                        )


def _add_port_last_event(family: Family, event: EventType, rows: RowsByAccount) -> None:
    for account, circuits in rows.items():
        for (port,), row in circuits:
            family.add_metric((account, port, event.name.split("|")[1]), row.received_at)


def _add_vc_last_event(family: Family, event: EventType, rows: RowsByAccount) -> None:
    indexes = [event.circuit.index(label) for label in ("vc_circuit_id", "port_circuit_id")]
    for account, circuits in rows.items():
        last: dict[tuple[str, ...], float] = {}  # two VLANs of a circuit can end on one port
        for circuit, row in circuits:
            end = tuple(circuit[index] for index in indexes)
            last[end] = max(last.get(end, 0.0), row.received_at)
        for end, received_at in last.items():
            family.add_metric((account, *end), received_at)
