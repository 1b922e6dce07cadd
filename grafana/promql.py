"""PromQL expressions that several panels share."""

from __future__ import annotations

from pathlib import Path

import yaml

_RULES = Path(__file__).parents[1] / "prometheus" / "rules.yml"
_RECORDED: dict[str, str] = {
    rule["record"]: rule["expr"].strip()
    for group in yaml.safe_load(_RULES.read_text(encoding="utf-8"))["groups"]
    for rule in group["rules"]
}

EXPORTER = 'job=~"$job", instance=~"$instance"'
ALL = f'{EXPORTER}, account=~"$account"'
"""Matchers for the variables that every dashboard has."""
PORT = f'{ALL}, port_circuit_id="$port"'
VC = f'{ALL}, vc_circuit_id="$vc"'
TARGET = "job, instance, account"


def threshold(name: str) -> float:
    """Return a threshold of the alerts, for the colors of a panel."""
    return float(_RECORDED[f"packetfabric:{name}:threshold"].removeprefix("vector(").removesuffix(")"))


def recorded_expression(name: str) -> str:
    """Return the expression of a recording rule, so that a panel works without the rules."""
    return f"({_RECORDED[name]})"


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
