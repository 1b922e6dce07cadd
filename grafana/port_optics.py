"""The optical power and bias current in the dashboard Port."""

from __future__ import annotations

from grafana_foundation_sdk.builders import dashboard

from grafana.panels import graph
from grafana.promql import PORT, PORT_KEYS, RECORDED, fold

RECORDED_PORT = f'{RECORDED}, port_circuit_id="$port"'


def _lanes(quantity: str) -> str:
    return fold(f"packetfabric_port_optical_{quantity}{{{PORT}}}", f"{PORT_KEYS}, lane")


def add_optics(board: dashboard.Dashboard) -> None:
    """Add the graphs of receive power, transmit power and bias current."""
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
            "dBm",
            size=(10, 8),
        ),
        graph(
            "Transmit power",
            "By lane. A decrease while the bias current increases is an aging laser: replace the module.",
            [(_lanes("transmit_power_dbm"), "lane {{lane}}")],
            "dBm",
            size=(7, 8),
            soft=(-6, 2),
        ),
        graph(
            "Bias current",
            "Laser bias current by lane. An increase over weeks is an aging laser.",
            [(_lanes("bias_current_amperes"), "lane {{lane}}")],
            "amp",
            size=(7, 8),
            soft=(0.02, 0.06),
        ),
    ):
        board.with_panel(panel)
