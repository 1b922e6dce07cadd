"""The data of one measurement: metrics, errors and etherstats, from the readings of a port or a circuit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pf_exporter.simulator.topology import Port
from pf_exporter.simulator.traffic import START, Reading

_RX_ERRORS = (
    "discard",
    "drop",
    "fifo",
    "framing",
    "l2_channel",
    "l2_mismatch_timeout",
    "l3_incomplete",
    "resource",
    "runt",
    "unspecified",
)
_TX_ERRORS = ("aged", "carrier", "collision", "drop", "fifo", "link_crc", "mtu", "resource", "unspecified")
_ETHERSTATS_ALWAYS_ZERO = ("code_violations", "fragment_frames", "jabber_frames", "oversized_frames")

_BURST_PERIOD, _BURST_DURATION, _BURST_FRAMES = 1800.0, 90.0, 700
_PACKETS_PER_DROP = 10_000_000


def metrics_data(rx: Reading, tx: Reading) -> dict[str, object]:
    """Return the rates and totals of ``port|metrics`` and ``vc|metrics``."""
    return {
        "bytes_rx_bps": rx.bps,
        "bytes_rx_total": rx.bytes,
        "bytes_tx_bps": tx.bps,
        "bytes_tx_total": tx.bytes,
        "packets_rx_pps": rx.pps,
        "packets_rx_total": rx.packets,
        "packets_tx_pps": tx.pps,
        "packets_tx_total": tx.packets,
    }


def errors_data(physical: Sequence[Port], tx: Mapping[Port, Reading], at: float) -> dict[str, object]:
    """Return the counters of ``port|errors``, summed over the physical ports of a port or a LAG.

    ``tx`` is what each physical port transmits.
    """
    counts: dict[str, object] = {f"rx_{name}": 0 for name in _RX_ERRORS}
    counts |= {f"tx_{name}": 0 for name in _TX_ERRORS}
    counts["rx_framing"] = counts["rx_unspecified"] = sum(_damaged_frames(port, at) for port in physical)
    counts["tx_drop"] = sum(tx[port].packets // _PACKETS_PER_DROP for port in physical)
    counts["tx_carrier"] = sum(_carrier_transitions(port, at) for port in physical)
    return counts


def etherstats_data(port: Port, rx: Reading, tx: Reading, tagged: int, at: float) -> dict[str, object]:
    """Return the counters of ``port|etherstats``; ``tagged`` is the frames received with a VLAN tag."""
    counts: dict[str, object] = {}
    for direction, reading in (("rx", rx), ("tx", tx)):
        # Link and neighbor protocols. Integer division of the total keeps each part monotonic.
        not_unicast = reading.packets // 500
        broadcasts = not_unicast // 10
        counts |= {
            f"{direction}_broadcasts": broadcasts,
            # The MAC also counts the 18 bytes of header and checksum.
            f"{direction}_bytes": reading.bytes + 18 * reading.packets,
            f"{direction}_crc_errors": _damaged_frames(port, at) if direction == "rx" else 0,
            f"{direction}_fifo_errors": 0,
            f"{direction}_mac_control_frames": 0,
            f"{direction}_mac_pause_frames": 0,
            f"{direction}_multicasts": not_unicast - broadcasts,
            f"{direction}_packets": reading.packets,
            f"{direction}_unicast": reading.packets - not_unicast,
        }
    counts |= {f"rx_{name}": 0 for name in _ETHERSTATS_ALWAYS_ZERO}
    counts["rx_vlan_tagged_frames"] = tagged
    return counts


def _damaged_frames(port: Port, at: float) -> int:
    """Return the damaged frames received since the router booted: a burst every half hour."""
    if not port.has_rx_errors:
        return 0
    return _damaged_frames_since_start(at) - _damaged_frames_since_start(port.booted_at(at))


def _damaged_frames_since_start(at: float) -> int:
    bursts, elapsed = divmod(at - START, _BURST_PERIOD)
    return int((bursts + min(elapsed / _BURST_DURATION, 1)) * _BURST_FRAMES)


def _carrier_transitions(port: Port, at: float) -> int:
    """Return how often the link came up since the router booted; once at boot, then once per flap."""
    if port.flaps is None:
        return 1
    return 1 + port.flaps.recoveries(at) - port.flaps.recoveries(port.booted_at(at))
