"""The data of ``port|optical``: power and bias current of each lane."""

from __future__ import annotations

import math

from pf_exporter.simulator.topology import Port
from pf_exporter.simulator.traffic import DAY, START

_LANE_FIELDS = ("bias_current", "index", "output_power", "rx_dbm", "rx_power", "tx_dbm", "tx_power")
_LANES = 4

# A degrading port loses 12 dB in three days; then the connector is cleaned and it starts over.
_DEGRADATION_PERIOD, _DEGRADATION_DB = 3 * DAY, 12.0
_DARK_DBM = -40.0


def milliwatts(dbm: float) -> float:
    """Convert optical power from dBm to mW, with the four decimals that routers show.

    >>> milliwatts(-1.05)
    0.7852
    """
    return round(10 ** (dbm / 10), 4)


def optical_data(port: Port, at: float) -> dict[str, object]:
    """Return the fields of ``port|optical``: four lanes, all zero for lanes that the optics do not have."""
    data: dict[str, object] = {}
    for lane in range(_LANES):
        values = _lane(port, lane, at) if lane < port.lanes else (0.0,) * len(_LANE_FIELDS)
        data |= {f"lane_{lane}_{name}": value for name, value in zip(_LANE_FIELDS, values, strict=True)}
    return data


def module_temperature(port: Port, at: float) -> float:
    """Return the temperature of the optical module in °C."""
    return round(31 + 6 * port.optics_seed + 3 * _daily_cycle(port, at), 1)


def module_voltage(port: Port, at: float) -> float:
    """Return the supply voltage of the optical module in V."""
    return round(3.28 + 0.04 * port.optics_seed + 0.01 * _daily_cycle(port, at), 3)


def _daily_cycle(port: Port, at: float) -> float:
    """Return a value between -1 and 1 that follows the temperature of the site."""
    return math.sin(math.tau * (at / DAY + port.optics_seed))


def _lane(port: Port, lane: int, at: float) -> tuple[float, ...]:
    """Return the values of one lane, in the order of ``_LANE_FIELDS``."""
    # A daily temperature cycle, and a fixed difference between lasers; both between -1 and 1.
    temperature = _daily_cycle(port, at)
    variation = math.sin(1 + lane * 2.3 + port.optics_seed * 40)
    tx_dbm = round(-1.2 + 0.4 * variation + 0.05 * temperature, 2)
    rx_dbm = round(-6.5 + 0.9 * variation + 0.08 * temperature, 2)
    if port.has_degrading_optics:
        rx_dbm = round(
            rx_dbm - _DEGRADATION_DB * ((at - START) % _DEGRADATION_PERIOD) / _DEGRADATION_PERIOD, 2
        )
    if not port.up(at):
        rx_dbm = _DARK_DBM
    bias_current = round(36 + 3 * variation + 0.7 * temperature, 3)
    tx_mw = milliwatts(tx_dbm)
    return bias_current, float(lane), tx_mw, rx_dbm, milliwatts(rx_dbm), tx_dbm, tx_mw
