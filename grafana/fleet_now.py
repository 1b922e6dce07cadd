"""What is broken now, since when, and who is affected: the top of the dashboard Fleet."""

from __future__ import annotations

from grafana_foundation_sdk.builders import dashboard
from grafana_foundation_sdk.models import dashboard as model

from grafana.panels import BLUE, ORANGE, RED, UP_DOWN, state_timeline, with_link
from grafana.promql import (
    ALL,
    PORT_KEYS,
    VC_KEYS,
    end_of,
    fold,
    here,
    names,
    once,
    port_named_in_graph,
    vc_named_in_graph,
    vcs_here,
)
from grafana.tables import rows

TO_PORT = ("Open port", "port", "var-port=${__field.labels.port_circuit_id}")
TO_VC = ("Open virtual circuit", "vc", "var-vc=${__field.labels.vc_circuit_id}")
# Without job and instance, which alerts that fold replicas do not have.
ALERTS = 'alertname=~"PacketFabric.+", account=~"$account|"'
_OTHER_SUBJECTS = ("cloud_circuit_id", "circuit_id", "maintenance", "api_key", "endpoint", "event", "type")
"""Labels of alerts that are neither about a port nor about a virtual circuit; an alert has at most one."""
ALERT_KEYS = ", ".join(
    ("account", "alertname", "severity", "port_circuit_id", "vc_circuit_id", *_OTHER_SUBJECTS)
)
SEVERITIES = [
    model.ValueMap(
        options={
            severity: model.ValueMappingResult(text=severity, color=color, index=index)
            for index, (severity, color) in enumerate(
                (("critical", RED), ("warning", ORANGE), ("info", BLUE))
            )
        }
    )
]


def _firing(select: str = "") -> str:
    """Return when each firing alert began, in milliseconds."""
    matchers = f"{ALERTS}{select}"
    return (
        f"1000 * min by ({ALERT_KEYS}) (ALERTS_FOR_STATE{{{matchers}}}"
        f' and ignoring (alertstate) ALERTS{{{matchers}, alertstate="firing"}})'
    )


def _alerts() -> str:
    """Return the firing alerts with the name of their circuit and the number of circuits on their port."""
    on_port = f"count by ({PORT_KEYS}) ({end_of('a')} or {end_of('z')})"
    counted = f'count_values by ({PORT_KEYS}) ("circuits", {on_port})'
    ports = (
        f"({names('port')})\n * on ({PORT_KEYS}) group_left (circuits) {counted}\n"
        f" or on ({PORT_KEYS}) ({names('port')})"
    )
    of_port = _firing(', port_circuit_id!="", vc_circuit_id=""')
    of_circuit = _firing(', vc_circuit_id!=""')
    others = ", ".join(f'"{label}"' for label in _OTHER_SUBJECTS)
    return (
        f"{of_port}\n * on ({PORT_KEYS}) group_left (name, circuits) ({ports})\n"
        f"or {of_circuit}\n * on ({VC_KEYS}) group_left (name) ({names('vc')})\n"
        f"or on ({ALERT_KEYS})"
        f' label_join({_firing()}, "name", "", {others})'
    )


def _add_timeline(
    board: dashboard.Dashboard, title: str, kind: str, series: str, to: tuple[str, str, str]
) -> None:
    board.with_panel(
        with_link(
            state_timeline(
                title,
                f"The {kind} with the most time down in the selected time range, as polled: red is down. "
                "Empty: there were none. Click one to open it.",
                [(series, "{{name}}")],
                size=(12, 9),
                mappings=UP_DOWN,
                empty="none was down",
            ),
            *to,
        )
    )


def _worst(metric: str, keys: str, shut: str = "") -> str:
    """Return the states of the circuits with the most time down over the whole time range."""
    # The minimum, so that no outage falls between two steps.
    state = fold(f"min_over_time({metric}{{{ALL}}}[$__rate_interval])", keys)
    down = f"1 - {fold(f'avg_over_time({metric}{{{ALL}}}[$__range] @ end())', keys)}"
    return f"{state} and on ({keys}) topk(15, ({down}{shut}) > 0)"


def add_now(board: dashboard.Dashboard) -> None:
    """Add the list of firing alerts and the outages of ports and virtual circuits."""
    board.with_panel(
        rows(
            "Firing alerts",
            "Alerts of prometheus/alerts.yml for the chosen accounts, the latest first; docs/runbook.md "
            "explains what each one means and what to do. Circuits is the number of virtual circuits on the "
            "port. Empty: nothing fires, or Prometheus has not loaded the alerts.",
            [(_alerts(), "Since", "dateTimeFromNow")],
            {
                "severity": "Severity",
                "alertname": "Alert",
                "name": "Subject",
                "circuits": "Circuits",
                "port_circuit_id": "Port",
                "vc_circuit_id": "Circuit",
                "account": "Account",
            },
            size=(24, 7),
            links=[
                ("Port", "port", "var-port=${__data.fields.Port}"),
                ("Circuit", "vc", "var-vc=${__data.fields.Circuit}"),
            ],
            mappings={"Severity": SEVERITIES},
            sort=[("Since", True)],
            widths={
                "Severity": 90,
                "Alert": 290,
                "Circuits": 80,
                "Port": 190,
                "Circuit": 225,
                "Account": 110,
                "Since": 140,
            },
        )
    )
    shut = f"\n unless on ({PORT_KEYS}) {once(f'packetfabric_port_admin_up{{{ALL}}}')} == 0"
    ports = _worst("packetfabric_port_operational_up", PORT_KEYS, shut)
    circuits = _worst("packetfabric_vc_connected", VC_KEYS)
    down = port_named_in_graph(here(ports))
    _add_timeline(board, "Ports that were down", "ports", down, TO_PORT)
    down = vc_named_in_graph(vcs_here(circuits))
    _add_timeline(board, "Circuits that were down", "virtual circuits", down, TO_VC)
