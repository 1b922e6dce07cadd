"""The optical power, the bias current and the state of the optical module in the dashboard Port."""

from __future__ import annotations

from grafana_foundation_sdk.builders import dashboard
from grafana_foundation_sdk.models import dashboard as model

from grafana.panels import DBM, GREEN, YELLOW, graph, stat_panel
from grafana.promql import PORT, PORT_KEYS, RECORDED, fold

_EMPTY = "inventory.optics is off"
_POLLED = "Empty: set inventory.optics to true."
RECORDED_PORT = f'{RECORDED}, port_circuit_id="$port"'


def _lanes(quantity: str) -> str:
    return fold(f"packetfabric_port_optical_{quantity}{{{PORT}}}", f"{PORT_KEYS}, lane")


def add_optics(board: dashboard.Dashboard) -> None:
    """Add receive power, transmit power and bias current; then temperature, voltage and the last flap."""
    for panel in (
        graph(
            "Receive power",
            "By lane, with minimum and maximum of the module (dashed; needs the recording rules). "
            "Slow decrease: clean the connectors. Step: bend or new patch. Sudden loss: far "
            "end.",
            [
                (_lanes("receive_power_dbm"), "lane {{lane}}"),
                (fold(f"port:packetfabric_receive_power_dbm:minimum{{{RECORDED_PORT}}}"), "minimum"),
                (fold(f"port:packetfabric_receive_power_dbm:maximum{{{RECORDED_PORT}}}"), "maximum"),
            ],
            DBM,
            size=(10, 8),
            empty="no optics",
        ),
        graph(
            "Transmit power",
            "By lane. A decrease while the bias current increases is an aging laser: replace the module.",
            [(_lanes("transmit_power_dbm"), "lane {{lane}}")],
            DBM,
            size=(7, 8),
            soft=(-6, 2),
            empty="no optics",
        ),
        graph(
            "Bias current",
            "Laser bias current by lane. An increase over weeks is an aging laser.",
            [(_lanes("bias_current_amperes"), "lane {{lane}}")],
            "amp",
            size=(7, 8),
            soft=(0.02, 0.06),
            empty="no optics",
        ),
        graph(
            "Module temperature",
            "Temperature of the optical module, as polled. An increase on several ports of a site: its "
            f"cooling. {_POLLED}",
            [(fold(f"packetfabric_port_temperature_celsius{{{PORT}}}"), "temperature")],
            "celsius",
            size=(10, 6),
            soft=(20, 60),
            empty=_EMPTY,
        ),
        graph(
            "Module voltage",
            f"Supply voltage of the optical module, as polled, normally about 3.3 V. {_POLLED}",
            [(fold(f"packetfabric_port_voltage_volts{{{PORT}}}"), "voltage")],
            "volt",
            size=(7, 6),
            soft=(3.1, 3.5),
            empty=_EMPTY,
        ),
        stat_panel(
            "Time since the last flap",
            "Time since the port last changed between up and down, according to its router. Yellow: less "
            f"than a day. {_POLLED} Empty as well if the port never flapped.",
            f"clamp_min(time() - max(packetfabric_port_last_flap_timestamp_seconds{{{PORT}}}), 0)",
            "s",
            colors=((None, YELLOW), (86400, GREEN)),
            decimals=0,
            empty=_EMPTY,
        ).grid_pos(model.GridPos(w=7, h=6)),
    ):
        board.with_panel(panel)
