"""The expressions that several panels share, in this project's rules and labels."""

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
"""Selects what the variables of every dashboard say."""
PORT = f'{ALL}, port_circuit_id="$port"'
VC = f'{ALL}, vc_circuit_id="$vc"'
TARGET = "job, instance, account"


def threshold(name: str) -> float:
    """A threshold of the alerts, which the dashboards colour by too."""
    return float(_RECORDED[f"packetfabric:{name}:threshold"].removeprefix("vector(").removesuffix(")"))


def recorded(name: str) -> str:
    """The expression behind a recorded name, so that a panel needs no rules to be loaded."""
    return f"({_RECORDED[name]})"


def rate(metric: str, select: str = PORT) -> str:
    """A counter's rate over an interval that holds enough samples at any zoom."""
    return f"rate({metric}{{{select}}}[$__rate_interval])"


def counts(metric: str, by: str, select: str = ALL) -> str:
    """How often something happened in each step, by a label; one series at 0 where it never did."""
    happened = f"increase({metric}{{{select}}}[$__rate_interval])"
    return f"sum by ({by}) ({happened}) > 0 or sum({happened}) == 0"


def bits(metric: str, select: str = PORT) -> str:
    """Bits per second of a counter of bytes."""
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
    """Series of ports with the label ``name``: the description, or the id where there is none."""
    return _named(expression, "port")


def vc_named(expression: str) -> str:
    """Series of virtual circuits with the label ``name``: the description, or the id where there is none."""
    return _named(expression, "vc")


def circuits(kind: str) -> str:
    """Every circuit of a kind that is listed or was heard of, for a variable: its name, then its id."""
    circuit = f"{kind}_circuit_id"
    known = (
        f"max by ({TARGET}, {circuit}, description) (packetfabric_{kind}_info{{{ALL}}})"
        f" or on ({TARGET}, {circuit})"
        f" max by ({TARGET}, {circuit}) (packetfabric_{kind}_last_event_timestamp_seconds{{{ALL}}})"
    )
    named = (
        f'label_replace(label_replace({known}, "name", "$1", "{circuit}", "(.+)"),'
        ' "name", "$1", "description", "(.+)")'
    )
    return f"query_result(max by (name, {circuit}) ({named}))"
