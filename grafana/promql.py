"""PromQL expressions that several panels share."""

from __future__ import annotations

import json
from pathlib import Path

import _jsonnet  # type: ignore[import-untyped]

_CONFIG = Path(__file__).parents[1] / "prometheus" / "config.libsonnet"
_THRESHOLDS: dict[str, float] = json.loads(
    _jsonnet.evaluate_snippet("thresholds", f"(import {json.dumps(str(_CONFIG))})._config.thresholds")
)

EXPORTER = 'job=~"$job", instance=~"$instance"'
ALL = f'{EXPORTER}, account=~"$account"'
"""Matchers for the variables that every dashboard has."""
RECORDED = 'job=~"$job", account=~"$account"'
"""Matchers for the recording rules, which fold instances."""
PORT = f'{ALL}, port_circuit_id="$port"'
VC = f'{ALL}, vc_circuit_id="$vc"'
TARGET = "job, instance, account"


CAPACITY = """(sum without (lag) (
  label_replace(
    sum by (job, instance, account, lag) (
      packetfabric_port_speed_bytes_per_second
        * on (job, instance, account, port_circuit_id) group_left (lag)
      packetfabric_port_info{lag!=""}
    ),
    "port_circuit_id", "$1", "lag", "(.+)"
  )
)
or on (job, instance, account, port_circuit_id) packetfabric_port_speed_bytes_per_second)"""
"""The speed of a port; that of a LAG is the sum of the speeds of its members."""


def threshold(name: str) -> float:
    """Return a threshold of the alerts, for the colors of a panel."""
    return _THRESHOLDS[name]


def rate(metric: str, select: str = PORT) -> str:
    """Return the rate of a counter over an interval with enough samples at any zoom."""
    return f"rate({metric}{{{select}}}[$__rate_interval])"


def increases(metric: str, by: str, select: str = ALL) -> str:
    """Return the increase of a counter in each step by a label; one series with value 0 if there is none."""
    increase = f"increase({metric}{{{select}}}[$__rate_interval])"
    return f"sum by ({by}) ({increase}) > 0 or sum({increase}) == 0"


def bits(metric: str, select: str = PORT) -> str:
    """Return bits per second of a counter of bytes."""
    return f"8 * {rate(metric, select)}"


def _named(expression: str, kind: str) -> str:
    circuit, info = f"{kind}_circuit_id", f"packetfabric_{kind}_info"
    return (
        "label_replace(label_replace(\n"
        f"  ({expression}) * on ({TARGET}, {circuit}) group_left (description) {info}\n"
        f"  or on ({TARGET}, {circuit}) ({expression}),\n"
        f'  "name", "$1", "{circuit}", "(.+)"), "name", "$1", "description", "(.+)")'
    )


def port_named(expression: str) -> str:
    """Add the label ``name`` to series of ports: the description, or the ID if there is none."""
    return _named(expression, "port")


def recorded_port_named(expression: str) -> str:
    """Add the label ``name`` to series of ports from a recording rule, which have no instance."""
    keys = "job, account, port_circuit_id"
    info = f"max by ({keys}, description) (packetfabric_port_info)"
    return (
        "label_replace(label_replace(\n"
        f"  ({expression}) * on ({keys}) group_left (description) {info}\n"
        f"  or on ({keys}) ({expression}),\n"
        '  "name", "$1", "port_circuit_id", "(.+)"), "name", "$1", "description", "(.+)")'
    )


def vc_named(expression: str) -> str:
    """Add the label ``name`` to series of virtual circuits: the description, or the ID if there is none."""
    return _named(expression, "vc")


def circuits(kind: str) -> str:
    """Return the query of a variable: name and ID of all circuits in the inventory or in events."""
    circuit = f"{kind}_circuit_id"
    all_circuits = (
        f"max by ({TARGET}, {circuit}, description) (packetfabric_{kind}_info{{{ALL}}})"
        f" or on ({TARGET}, {circuit})"
        f" max by ({TARGET}, {circuit}) (packetfabric_{kind}_last_event_timestamp_seconds{{{ALL}}})"
    )
    named = (
        f'label_replace(label_replace({all_circuits}, "name", "$1", "{circuit}", "(.+)"),'
        ' "name", "$1", "description", "(.+)")'
    )
    return f"query_result(max by (name, {circuit}) ({named}))"
