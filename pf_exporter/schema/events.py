"""The table of events: for each field its metric family, type, unit, labels and help."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import MappingProxyType

from pf_exporter.schema.activity import ACTIVITY, CATEGORIES, SUBSCRIBABLE_CATEGORIES
from pf_exporter.schema.event_type import EventType, FieldSpec, build_event_type
from pf_exporter.schema.family import FamilySpec, MetricType

_PORT = ("port_circuit_id",)
_VC_END = ("vc_circuit_id", "port_circuit_id", "vlan")
_TIMESTAMP = {"timestamp": "used for lag, order, and with web.event_timestamps as the samples' timestamp"}
_DIRECTIONS = (("rx", "receive", "received"), ("tx", "transmit", "transmitted"))


def _traffic(prefix: str, owner: str) -> Iterator[FieldSpec]:
    for short, direction, verb in _DIRECTIONS:
        base = f"{prefix}_{direction}"
        rate = f"per second {verb} by {owner}, as measured by the network"
        yield FieldSpec(
            f"bytes_{short}_total", f"{base}_bytes_total", MetricType.COUNTER, f"Bytes {verb} by {owner}"
        )
        yield FieldSpec(
            f"packets_{short}_total",
            f"{base}_packets_total",
            MetricType.COUNTER,
            f"Packets {verb} by {owner}",
        )
        yield FieldSpec(
            f"bytes_{short}_bps",
            f"{base}_bytes_per_second",
            MetricType.GAUGE,
            f"Bytes {rate}; the API gives bits per second",
            8,
        )
        yield FieldSpec(
            f"packets_{short}_pps", f"{base}_packets_per_second", MetricType.GAUGE, f"Packets {rate}"
        )


def _errors() -> Iterator[FieldSpec]:
    for field, suffix, help in (
        ("rx_discard", "receive_discards", "Received frames discarded by policing"),
        ("rx_drop", "receive_drops", "Packets dropped on input"),
        ("rx_fifo", "receive_fifo_errors", "Input FIFO errors"),
        ("rx_framing", "receive_framing_errors", "Packets received with a bad frame check sequence"),
        ("rx_l2_channel", "receive_l2_channel_errors", "Frames received for an unknown logical interface"),
        ("rx_l2_mismatch_timeout", "receive_l2_mismatch_timeouts", "Malformed or short frames received"),
        ("rx_l3_incomplete", "receive_l3_incompletes", "Received packets that fail layer 3 checks"),
        ("rx_resource", "receive_resource_errors", "Packets dropped on input for lack of resources"),
        ("rx_runt", "receive_runts", "Received frames shorter than the minimum"),
        (
            "rx_unspecified",
            "receive_unspecified_errors",
            "Sum of all input errors as counted by the router; overlaps the other families",
        ),
        ("tx_aged", "transmit_aged_packets", "Packets dropped after too long in an output queue"),
        ("tx_carrier", "carrier_transitions", "Down-to-up transitions of the link, not frames"),
        ("tx_collision", "transmit_collisions", "Collisions"),
        ("tx_drop", "transmit_drops", "Packets dropped on output"),
        ("tx_fifo", "transmit_fifo_errors", "Output FIFO errors"),
        (
            "tx_link_crc",
            "transmit_link_crc_errors",
            "CRC errors on links between the router's own chips, not on the wire",
        ),
        ("tx_mtu", "transmit_mtu_errors", "Packets larger than the MTU"),
        ("tx_resource", "transmit_resource_errors", "Packets dropped on output for lack of resources"),
        (
            "tx_unspecified",
            "transmit_unspecified_errors",
            "Sum of all output errors as counted by the router; overlaps the other families",
        ),
    ):
        yield FieldSpec(field, f"packetfabric_port_{suffix}_total", MetricType.COUNTER, help)


def _etherstats() -> Iterator[FieldSpec]:
    both = (
        ("broadcasts", "broadcast_packets", "Broadcast packets {}"),
        ("bytes", "bytes", "Octets {}, frame check sequence included"),
        ("crc_errors", "crc_errors", "Packets {} with a checksum or alignment error"),
        ("fifo_errors", "fifo_errors", "FIFO errors of packets {}"),
        ("mac_control_frames", "mac_control_frames", "MAC control frames {}"),
        ("mac_pause_frames", "mac_pause_frames", "MAC pause frames {}"),
        ("multicasts", "multicast_packets", "Multicast packets {}"),
        ("packets", "packets", "Packets {}, good and bad"),
        ("unicast", "unicast_packets", "Unicast packets {}"),
    )
    receive_only = (
        ("code_violations", "code_violations", "Symbol and code errors {}"),
        ("fragment_frames", "fragment_frames", "Frames {} shorter than 64 octets with a bad checksum"),
        ("jabber_frames", "jabber_frames", "Frames {} longer than 1518 octets with a bad checksum"),
        ("oversized_frames", "oversized_frames", "Frames {} longer than 1518 octets"),
        ("vlan_tagged_frames", "vlan_tagged_frames", "VLAN-tagged frames {}"),
    )
    for (short, direction, verb), rows in zip(_DIRECTIONS, (both + receive_only, both), strict=True):
        for field, suffix, help in sorted(rows):
            yield FieldSpec(
                f"{short}_{field}",
                f"packetfabric_port_etherstats_{direction}_{suffix}_total",
                MetricType.COUNTER,
                help.format(f"{verb} at the MAC layer"),
            )


def _optical() -> Iterator[FieldSpec]:
    for field, suffix, help, divisor in (
        ("rx_dbm", "receive_power_dbm", "Optical power received on the lane", 1),
        ("tx_dbm", "transmit_power_dbm", "Optical power transmitted on the lane", 1),
        ("rx_power", "receive_power_watts", "Optical power received on the lane; the API gives mW", 1000),
        ("tx_power", "transmit_power_watts", "Optical power transmitted on the lane; the API gives mW", 1000),
        (
            "output_power",
            "output_power_watts",
            "Laser output power of the lane as reported, meaning undocumented; the API gives mW",
            1000,
        ),
        ("bias_current", "bias_current_amperes", "Laser bias current of the lane; the API gives mA", 1000),
    ):
        yield FieldSpec(
            f"lane_N_{field}", f"packetfabric_port_optical_{suffix}", MetricType.GAUGE, help, divisor
        )


_LANE_INDEX = {
    "lane_N_index": "0.0 for every lane in the API's own example; the lane's number is in the field's name"
}

EVENTS: Mapping[str, EventType] = MappingProxyType(
    {
        event.name: event
        for event in (
            build_event_type("port|metrics", _PORT, _traffic("packetfabric_port", "the port"), _TIMESTAMP),
            build_event_type(
                "vc|metrics",
                _VC_END,
                _traffic("packetfabric_vc", "the VC end on the port"),
                _TIMESTAMP,
            ),
            build_event_type("port|errors", _PORT, _errors(), _TIMESTAMP),
            build_event_type("port|etherstats", _PORT, _etherstats(), _TIMESTAMP),
            build_event_type("port|optical", _PORT, _optical(), _TIMESTAMP | _LANE_INDEX),
        )
    }
)
"""Every event that carries measurements, by its name in the stream."""

PORT_LAST_EVENT = "packetfabric_port_last_event_timestamp_seconds"
VC_LAST_EVENT = "packetfabric_vc_last_event_timestamp_seconds"
"""The families with the time of a circuit's last event; it is the time of arrival, not a field."""

EVENT_NAMES = (*(f"customer|{category}" for category in CATEGORIES), *EVENTS)
"""The 21 events that the API documents."""


def _subscribable(type_: str) -> tuple[str, ...]:
    return tuple(sorted(name.removeprefix(f"{type_}|") for name in EVENTS if name.startswith(f"{type_}|")))


SUBSCRIBABLE_EVENTS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {"port": _subscribable("port"), "vc": _subscribable("vc"), "customer": SUBSCRIBABLE_CATEGORIES}
)
"""The events that a subscription may name, by the type of its stream."""


def families() -> Iterator[FamilySpec]:
    """Every family that comes from the stream, in the order of ``/metrics``."""
    for event in EVENTS.values():
        yield from event.fields.values()
    yield ACTIVITY
