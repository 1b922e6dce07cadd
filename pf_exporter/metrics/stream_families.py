"""The metric families of the store's rows, without samples."""

from __future__ import annotations

from collections.abc import Iterator

from pf_exporter.metrics.metric_family import Family, empty_family, family_from_spec
from pf_exporter.schema import EVENTS, PORT_LAST_EVENT, VC_LAST_EVENT, MetricType

SERIES = "packetfabric_series"

LAST_EVENT_LABELS = {
    PORT_LAST_EVENT: ("account", "port_circuit_id", "category"),
    VC_LAST_EVENT: ("account", "vc_circuit_id", "port_circuit_id"),
}


def describe_stream_families() -> Iterator[Family]:
    """Yield every family of the store's rows, in the order of /metrics."""
    for event in EVENTS.values():
        for spec in event.fields.values():
            yield family_from_spec(spec)
    yield empty_family(
        PORT_LAST_EVENT,
        MetricType.GAUGE,
        "When the last event of the category was received for the port; kept when the port falls silent",
        LAST_EVENT_LABELS[PORT_LAST_EVENT],
    )
    yield empty_family(
        VC_LAST_EVENT,
        MetricType.GAUGE,
        "When the last event was received for the circuit's end on the port; kept when it falls silent",
        LAST_EVENT_LABELS[VC_LAST_EVENT],
    )
    yield empty_family(
        SERIES,
        MetricType.GAUGE,
        "Series held for the account's circuits; the limit of series applies to all accounts together",
        ("account",),
    )
