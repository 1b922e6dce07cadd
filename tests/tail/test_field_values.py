"""Values with the units of their metrics."""

from __future__ import annotations

import pytest

from pf_exporter.tail.field_values import format_value


@pytest.mark.parametrize(
    ("number", "metric", "text"),
    [
        (0.0, "packetfabric_port_receive_bytes_total", "0 B"),
        (1.5e15, "packetfabric_port_receive_bytes_total", "1.5 PB"),
        (125.0, "packetfabric_port_receive_bytes_per_second", "1 kbit/s"),
        (0.00045, "packetfabric_port_optical_receive_power_watts", "450 µW"),
        (0.0065, "packetfabric_port_optical_bias_current_amperes", "6.5 mA"),
        (-40.0, "packetfabric_port_optical_receive_power_dbm", "-40.00 dBm"),
        (1e21, "packetfabric_port_receive_runts_total", "1,000,000,000,000,000,000,000"),
    ],
)
def test_values(number: float, metric: str, text: str) -> None:
    """A number is shown in the unit of its metric, with an SI prefix."""
    assert format_value(number, metric) == text
