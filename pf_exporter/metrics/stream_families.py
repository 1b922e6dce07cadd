"""The metric families of the store's rows, without samples."""

from __future__ import annotations

from collections.abc import Iterator

from pf_exporter.metrics.metric_family import Family, empty_family, family_from_spec
from pf_exporter.schema import EVENTS, PORT_LAST_EVENT, VC_LAST_EVENT, EventType, MetricType
from pf_exporter.state import LabelValues, Row

SERIES = "packetfabric_series"

LAST_EVENT_LABELS = {
    PORT_LAST_EVENT: ("account", "port_circuit_id", "category"),
    VC_LAST_EVENT: ("account", "vc_circuit_id", "port_circuit_id"),
}

LAST_EVENT_FAMILIES = {"port": PORT_LAST_EVENT, "vc": VC_LAST_EVENT}
"""By the first half of an event's name, the family with the time of its last event."""

RowsByAccount = dict[str, list[tuple[tuple[str, ...], Row]]]


def last_events(event: EventType, rows: RowsByAccount) -> tuple[str, dict[LabelValues, float]]:
    """Return the family with the time of an event's last arrival, and its values by labels."""
    kind, category = event.name.split("|")
    name = LAST_EVENT_FAMILIES[kind]
    width = len(LAST_EVENT_LABELS[name])
    last: dict[LabelValues, float] = {}  # two VLANs of a circuit can end on one port
    for account, circuits in rows.items():
        for circuit, row in circuits:
            labels = (account, *circuit, category)[:width]
            last[labels] = max(row.received_at, last.get(labels, 0.0))
    return name, last


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
        "When the last event was received for the VC end on the port; kept when it falls silent",
        LAST_EVENT_LABELS[VC_LAST_EVENT],
    )
    yield empty_family(
        SERIES,
        MetricType.GAUGE,
        "Series held for the account's circuits; the limit of series applies to all accounts together",
        ("account",),
    )
