"""The table: every event field we know, its metric family, kind, scale, labels and help."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import MappingProxyType

from pf_exporter.schema.family import EventType, FamilySpec, FieldSpec

LOG_LEVELS = ("emergency", "alert", "critical", "error", "warning", "notice", "info", "debug")
"""syslog's eight, in the order of their numbers 0 to 7 (RFC 5424), which the REST activity log uses."""


def _traffic(stem: str, whose: str) -> Iterator[FieldSpec]:
    for short, direction, verb in (("rx", "receive", "received"), ("tx", "transmit", "transmitted")):
        base = f"{stem}_{direction}"
        yield f"bytes_{short}_total", f"{base}_bytes_total", "counter", f"Bytes {verb} by {whose}", 1
        yield f"packets_{short}_total", f"{base}_packets_total", "counter", f"Packets {verb} by {whose}", 1
        rate = f"rate at which {whose} {direction}s, as the network measures it"
        yield (
            f"bytes_{short}_bps",
            f"{base}_bytes_per_second",
            "gauge",
            f"Byte {rate}; the API gives bits per second",
            8,
        )
        yield f"packets_{short}_pps", f"{base}_packets_per_second", "gauge", f"Packet {rate}", 1


def _errors() -> Iterator[FieldSpec]:
    for name, suffix, text in (
        ("rx_discard", "receive_discards", "Received frames discarded by policing"),
        ("rx_drop", "receive_drops", "Packets dropped on input"),
        ("rx_fifo", "receive_fifo_errors", "Input FIFO errors"),
        ("rx_framing", "receive_framing_errors", "Packets received with a bad frame check sequence"),
        ("rx_l2_channel", "receive_l2_channel_errors", "Frames received for no known logical interface"),
        ("rx_l2_mismatch_timeout", "receive_l2_mismatch_timeouts", "Malformed or short frames received"),
        ("rx_l3_incomplete", "receive_l3_incompletes", "Received packets that fail layer 3 checks"),
        ("rx_resource", "receive_resource_errors", "Packets dropped on input for lack of resources"),
        ("rx_runt", "receive_runts", "Received frames shorter than the minimum"),
        (
            "rx_unspecified",
            "receive_unspecified_errors",
            "All input errors as the router sums them; overlaps the other families",
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
            "All output errors as the router sums them; overlaps the other families",
        ),
    ):
        yield name, f"packetfabric_port_{suffix}_total", "counter", text, 1


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
    received = (
        ("code_violations", "code_violations", "Symbol and code errors {}"),
        ("fragment_frames", "fragment_frames", "Frames {} shorter than 64 octets with a bad checksum"),
        ("jabber_frames", "jabber_frames", "Frames {} longer than 1518 octets with a bad checksum"),
        ("oversized_frames", "oversized_frames", "Frames {} longer than 1518 octets"),
        ("vlan_tagged_frames", "vlan_tagged_frames", "VLAN-tagged frames {}"),
    )
    for short, direction, rows in (
        ("rx", "receive", sorted(both + received)),
        ("tx", "transmit", sorted(both)),
    ):
        for name, suffix, text in rows:
            metric = f"packetfabric_port_etherstats_{direction}_{suffix}_total"
            where = {"receive": "received", "transmit": "transmitted"}[direction]
            yield f"{short}_{name}", metric, "counter", text.format(f"{where} at the MAC layer"), 1


def _optical() -> Iterator[FieldSpec]:
    for name, suffix, text, divisor in (
        ("rx_dbm", "receive_power_dbm", "Optical power received on the lane", 1),
        ("tx_dbm", "transmit_power_dbm", "Optical power transmitted on the lane", 1),
        ("rx_power", "receive_power_watts", "Optical power received on the lane; the API gives mW", 1000),
        ("tx_power", "transmit_power_watts", "Optical power transmitted on the lane; the API gives mW", 1000),
        (
            "output_power",
            "output_power_watts",
            "Laser output power of the lane as reported, its meaning undocumented; the API gives mW",
            1000,
        ),
        ("bias_current", "bias_current_amperes", "Laser bias current of the lane; the API gives mA", 1000),
    ):
        yield f"lane_N_{name}", f"packetfabric_port_optical_{suffix}", "gauge", text, divisor


def _event(name: str, circuit: tuple[str, ...], rows: Iterator[FieldSpec], **ignored: str) -> EventType:
    fields = {}
    for source, metric, kind, text, divisor in rows:
        lane = ("lane",) if source.startswith("lane_N_") else ()
        labels = ("account", *circuit, *lane)
        fields[source] = FamilySpec(metric, kind, text, labels, f"{name} {source}", divisor)
    stamp = {"timestamp": "the time of the sample: freshness and lag, never a sample's timestamp"}
    return EventType(name, circuit, MappingProxyType(fields), MappingProxyType(stamp | ignored))


_PORT = ("port_circuit_id",)

EVENTS: Mapping[str, EventType] = MappingProxyType(
    {
        event.name: event
        for event in (
            _event("port|metrics", _PORT, _traffic("packetfabric_port", "the port")),
            _event(
                "vc|metrics",
                ("vc_circuit_id", "port_circuit_id", "vlan"),
                _traffic("packetfabric_vc", "the virtual circuit's end on the port"),
            ),
            _event("port|errors", _PORT, _errors()),
            _event("port|etherstats", _PORT, _etherstats()),
            _event(
                "port|optical",
                _PORT,
                _optical(),
                lane_N_index="0.0 for every lane in the API's own example: the key's number is the lane",
            ),
        )
    }
)
"""Every event that carries numbers, by its name in the stream."""

CATEGORIES = (
    "auth",
    "billing",
    "bgp",
    "contact",
    "cloud_connection",
    "cloud_router",
    "customer",
    "document",
    "lag_interface",
    "logical_interface",
    "physical_interface",
    "outbound_cross_connect",
    "point_to_point",
    "rate_limit",
    "user",
    "virtual_circuit",
)
"""What ``customer|…`` events can be about; billing, contact and customer arrive but cannot be asked for."""

ACTIVITY = FamilySpec(
    "packetfabric_activity_events_total",
    "counter",
    "Entries of the account's activity log that were streamed",
    ("account", "category", "log_level"),
    "customer|*",
)

ACTIVITY_FIELDS: Mapping[str, str] = MappingProxyType(
    {
        "category": "says what the event's name says",
        "log_level": "the label log_level",
        "event": "an open set of verbs: in the log, never a label",
        "timestamp": "the lag, never a sample's timestamp",
        # Personal data, or the whole of a story: neither in a label nor in the log.
        **dict.fromkeys(("user", "message", "ip_address"), "personal data"),
        # In no schema, but in the API's Terraform provider.
        **dict.fromkeys(("circuit_id", "lag", "lag_circuit_id", "workflow_id"), "what the entry is about"),
    }
)
"""The fields of every ``customer|…`` event, and what becomes of each."""

EVENT_NAMES = (*(f"customer|{category}" for category in CATEGORIES), *EVENTS)
"""The 21 events the API documents."""


def families() -> Iterator[FamilySpec]:
    """Every family that comes from the stream, in the order of /metrics."""
    for event in EVENTS.values():
        yield from event.fields.values()
    yield ACTIVITY
