"""The dashboard Port: what is the matter with this one?"""

from __future__ import annotations

from grafana_foundation_sdk.builders import dashboard, table

from grafana.layout import board, circuit
from grafana.panels import GREEN, ORANGE, RED, UP_DOWN, YELLOW, across, graph, number, timeline
from grafana.promql import ALL, PORT, TARGET, bits, rate, recorded, threshold, vc_named
from grafana.tables import rows
from pf_exporter.schema.events import EVENTS

WAYS = {"rx": "in", "tx": "out"}
PORT_KEYS = f"{TARGET}, port_circuit_id"
RATE = "suffix:/s"
CAPACITY = recorded("port:packetfabric_capacity:bytes_per_second")

SPEED = f"8 * max({CAPACITY} and on ({PORT_KEYS}) packetfabric_port_info{{{PORT}}})"


def _share(direction: str) -> str:
    return f"packetfabric_port_{direction}_bytes_per_second{{{PORT}}} / on ({PORT_KEYS}) {CAPACITY}"


def _kinds() -> list[tuple[str, str]]:
    """Every family of errors, named as the network names it."""
    return [
        (rate(family.name), field.replace("_", " "))
        for field, family in EVENTS["port|errors"].fields.items()
        if field != "tx_carrier"
    ]


def _mac(*counts: str) -> list[tuple[str, str]]:
    return [
        (rate(family.name), f"{field[3:].replace('_', ' ')} {WAYS[field[:2]]}")
        for field, family in EVENTS["port|etherstats"].fields.items()
        if field[3:] in counts
    ]


def _lanes(quantity: str) -> str:
    return f"packetfabric_port_optical_{quantity}{{{PORT}}}"


def _heads(made: dashboard.Dashboard) -> None:
    full = ((None, GREEN), (0.7, YELLOW), (threshold("port_utilisation"), RED))
    across(
        made,
        number(
            "State",
            "Up or down, as of the last look at the list. Red: see Light below; none is the fibre or the far "
            "side.",
            f"max(packetfabric_port_operational_up{{{PORT}}})",
            colors=((None, RED), (1, GREEN)),
            mappings=UP_DOWN,
            empty="no inventory",
        ),
        number(
            "Switched",
            "Whether it is administratively up. Red: somebody switched it off, and nobody is alerted.",
            f"max(packetfabric_port_admin_up{{{PORT}}})",
            colors=((None, ORANGE), (1, GREEN)),
            mappings=UP_DOWN,
            empty="no inventory",
        ),
        number(
            "Place",
            "Where it is.",
            f"max by (pop, site) (packetfabric_port_info{{{PORT}}})",
            legend="{{pop}}",
            text=True,
        ),
        number("Speed", "Of a LAG: of its members together.", SPEED, "bps", empty="no inventory"),
        *(
            number(
                f"In use, {word}",
                "Share of the speed. Red: full, packets are dropped; see in Circuits which it is.",
                f"max({_share(direction)})",
                "percentunit",
                colors=full,
                decimals=1,
            )
            for direction, word in (("receive", "in"), ("transmit", "out"))
        ),
        number(
            "Came up, a day",
            "How often the link came up again within a day. Red: clean and reseat connectors, see Light.",
            f"max(round(increase(packetfabric_port_carrier_transitions_total{{{PORT}}}[1d])))",
            colors=((None, GREEN), (1, YELLOW), (threshold("port_transitions") + 1, RED)),
        ),
        number(
            "Last heard of",
            "Since the network last said anything of it. Red: is it still there? Open Exporter.",
            f"clamp_min(time() - max(packetfabric_port_last_event_timestamp_seconds{{{PORT}}}), 0)",
            "s",
            colors=((None, GREEN), (300, YELLOW), (threshold("stream_silence"), RED)),
            decimals=0,
        ),
    )


def _light(made: dashboard.Dashboard) -> None:
    for panel in (
        graph(
            "Light received",
            "By lane, between what its optics can hear and bear (dashed; with our recording rules). Falling "
            "slowly: "
            "clean; a step: a bend or a new patch; all of a sudden nothing: the far side.",
            [
                (_lanes("receive_power_dbm"), "lane {{lane}}"),
                (f"port:packetfabric_receive_minimum:dbm{{{PORT}}}", "minimum"),
                (f"port:packetfabric_receive_maximum:dbm{{{PORT}}}", "maximum"),
            ],
            "dBm",
            size=(10, 8),
        ),
        graph(
            "Light transmitted",
            "By lane. A lane that falls while its current climbs is a laser that grows old: order a module.",
            [(_lanes("transmit_power_dbm"), "lane {{lane}}")],
            "dBm",
            size=(7, 8),
        ),
        graph(
            "Bias current",
            "What the lasers take. Climbing over weeks: they grow old.",
            [(_lanes("bias_current_amperes"), "lane {{lane}}")],
            "amp",
            size=(7, 8),
        ),
    ):
        made.with_panel(panel)


def build() -> dashboard.Dashboard:
    """The whole dashboard."""
    made = board(
        "port",
        "Port",
        "One port, LAG or member: what it carries, what it loses, how well it sees.",
        since="now-24h",
        variables=[circuit("port", "Port")],
    )
    _heads(made)
    made.with_panel(
        graph(
            "Traffic",
            "Received, and transmitted below the axis; dashed is the speed. At the dashes: full. Nothing: "
            "see State.",
            [
                (f"sum({bits('packetfabric_port_receive_bytes_total')})", "in"),
                (f"sum({bits('packetfabric_port_transmit_bytes_total')})", "out"),
                (SPEED, "speed"),
                (SPEED, "speed out"),
            ],
            "bps",
            size=(16, 9),
            below=True,
        )
    )
    made.with_panel(
        graph(
            "Packets by cast",
            "Received, and transmitted below the axis. Broadcast that climbs is a loop or a misconfigured "
            "neighbour.",
            _mac("unicast", "multicasts", "broadcasts"),
            "pps",
            size=(8, 9),
            below=True,
        )
    )
    made.with_panel(
        timeline(
            "State over time",
            "Up (green), down (red) and administratively down (orange in Switched), as the list said.",
            [
                (f"max(packetfabric_port_operational_up{{{PORT}}})", "State"),
                (f"max(packetfabric_port_admin_up{{{PORT}}})", "Switched"),
            ],
            size=(24, 4),
            mappings=UP_DOWN,
        )
    )
    made.with_panel(
        graph(
            "Errors by kind",
            "Frames a second, in the network's own words; kinds overlap, do not add them. Framing: damage on "
            "the "
            "wire, see Light. Drops: a full queue, see Traffic. MTU: the far side sends too large packets.",
            _kinds(),
            RATE,
            size=(12, 9),
            legend=("mean", "max"),
            floor=0,
            soft=(0, 0.1),
        )
    )
    made.with_panel(
        graph(
            "What the MAC saw",
            "Frames a second: damaged, too long, too short, paused. Damage here and in Errors is the same "
            "frames.",
            _mac(
                "crc_errors",
                "code_violations",
                "fragment_frames",
                "jabber_frames",
                "oversized_frames",
                "mac_pause_frames",
                "fifo_errors",
            ),
            RATE,
            size=(12, 9),
            legend=("mean", "max"),
            floor=0,
            soft=(0, 0.1),
        )
    )
    _light(made)
    made.with_panel(_circuits())
    return made


def _circuits() -> table.Panel:
    keys = f"{TARGET}, vc_circuit_id"

    def now(direction: str) -> str:
        metric = f"packetfabric_vc_{direction}_bytes_per_second{{{PORT}}}"
        return f"8 * max by (vc_circuit_id, vlan, name) ({vc_named(metric)})"

    limit = f"8 * max by (vc_circuit_id) (packetfabric_vc_receive_limit_bytes_per_second{{{ALL}}}" + (
        f" and on ({keys}) packetfabric_vc_receive_bytes_per_second{{{PORT}}})"
    )
    return rows(
        "Circuits",
        "The virtual circuits that end here, the busiest first; a click opens one. Empty: none is "
        "subscribed, or "
        "for a member of a LAG: they are on the LAG.",
        [(now("receive"), "In", "bps"), (now("transmit"), "Out", "bps"), (limit, "Limit", "bps")],
        {"name": "Circuit", "vc_circuit_id": "Id", "vlan": "VLAN"},
        size=(24, 6),
        link=("Circuit", "vc", "var-vc=${__data.fields.Id}"),
        sort=[("In", True)],
    )
