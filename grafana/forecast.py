"""When ports will be full, in the dashboard Capacity."""

from __future__ import annotations

from grafana_foundation_sdk.builders import dashboard

from grafana.fleet_ports import FULL
from grafana.panels import GREEN, ORANGE, RED, YELLOW
from grafana.promql import CAPACITY, PORT_KEYS, busier, fold, here, port_named, recorded
from grafana.tables import rows

MIN_DAYS = 20
"""Days of history that a forecast needs."""


def _daily_peak(direction: str) -> str:
    peak = fold(f"max_over_time({recorded('port', direction)}[1d])")
    return f"{peak} / on ({PORT_KEYS}) group_left () {CAPACITY}"


_PEAKS = busier(_daily_peak("receive"), _daily_peak("transmit"))
_MONTH = f"({_PEAKS})[4w:1d]"


def _selected(expression: str) -> str:
    """Return the 50 ports with the highest peaks today, if they have enough history."""
    enough = f"last_over_time({recorded('port', 'receive')}[1d] offset {MIN_DAYS - 1}d)"
    return f"{expression}\nand on ({PORT_KEYS}) topk(50, {here(_PEAKS)})\nand on ({PORT_KEYS}) {enough}"


def _predicted(days: int) -> str:
    return f"clamp_min(predict_linear({_MONTH}, {days} * 86400), 0)"


def _days_until_full() -> str:
    """Return the days until the trend of the daily peaks reaches the full speed, of growing ports."""
    growth = f"(86400 * deriv({_MONTH}) > 0.0001)"
    return f"clamp_min((1 - predict_linear({_MONTH}, 0)) / {growth}, 0) < 3650"


def add_forecast(board: dashboard.Dashboard) -> None:
    """Add the table of ports with the trend of their daily peaks."""
    colors = ((None, GREEN), (0.5, YELLOW), (0.7, ORANGE), (FULL, RED))
    board.with_panel(
        rows(
            "Forecast",
            "The trend of the highest five-minute average of each day in the last four weeks, for the 50 "
            "ports with the highest one today. Full in: days until the trend reaches the speed, if it grows. "
            "It does not include planned changes. It needs the recording rules in prometheus/rules.yml. "
            f"Empty: they have recorded less than {MIN_DAYS} days.",
            [
                (port_named(_selected(_PEAKS)), "Peak today", "percentunit"),
                (_selected(_predicted(30)), "In 30 days", "percentunit"),
                (_selected(_predicted(90)), "In 90 days", "percentunit"),
                (_selected(_days_until_full()), "Full in", "d"),
            ],
            {"name": "Port", "port_circuit_id": "ID", "account": "Account"},
            size=(24, 9),
            links=[("Port", "port", "var-port=${__data.fields.ID}")],
            colors=dict.fromkeys(("Peak today", "In 30 days", "In 90 days"), colors)
            | {"Full in": ((None, RED), (90, ORANGE), (180, YELLOW), (365, GREEN))},
            sort=[("In 90 days", True)],
            widths={"Port": 260, "ID": 200, "Account": 100},
        )
    )
