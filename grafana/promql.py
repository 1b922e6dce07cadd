"""PromQL expressions that several panels share.

Every expression folds replicas: aggregations keep only ``account`` and what identifies a circuit, so that two
exporters of one account, and labels such as ``cluster`` or ``pod``, change no number.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
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
PORT_KEYS = "account, port_circuit_id"
VC_KEYS = "account, vc_circuit_id"
_WITHOUT_TIME = re.compile(r"\w+\{[^{}]*\}(\[[^]]*\])?(?! @|\[)")
"""A selector without a time."""
END_KEYS = f"{VC_KEYS}, port_circuit_id, vlan"
WAYS = ("receive", "transmit")
"""The directions, as in the names of metrics and in legends."""


def threshold(name: str) -> float:
    """Return a threshold of the alerts, for the colors of a panel."""
    return _THRESHOLDS[name]


def fold(expression: str, keys: str = PORT_KEYS) -> str:
    """Return one series per circuit, whatever the number of exporters that report it."""
    return f"max by ({keys}) ({expression})"


def one(expression: str, keys: str = PORT_KEYS) -> str:
    """Return one series per circuit, with its other labels: replicas that disagree would break a join."""
    return f"topk by ({keys}) (1, {expression})"


def fold_ends(expression: str) -> str:
    """Return one series per VC end."""
    return fold(expression, END_KEYS)


def current_state(
    metric: str, states: Sequence[str], keys: str = PORT_KEYS, select: str = ALL, first: int = 0
) -> str:
    """Return the index in ``states`` of the current state of a state set, plus ``first``.

    While replicas disagree, the first state wins.
    """
    current = (fold(f'{metric}{{{select}, state="{state}"}} == 1', keys) for state in states)
    return f"\n  or on ({keys}) ".join(f"0 * {one} + {first + index}" for index, one in enumerate(current))


def mean(metric: str, select: str = ALL, span: str = "$__rate_interval", at: str = "") -> str:
    """Return the mean of a gauge, which is right at any interval of the source, unlike a rate."""
    return f"avg_over_time({metric}{{{select}}}[{span}]{at})"


def rate(metric: str, select: str = PORT) -> str:
    """Return the rate of a counter over an interval with enough samples at any zoom."""
    return f"rate({metric}{{{select}}}[$__rate_interval])"


def increases(metric: str, by: str, select: str = ALL) -> str:
    """Return the increase of a counter in each step by a label; the series ``none`` with value 0 if there
    is none.

    Replicas count the same events, so only the exporter that counts most of an account is shown.
    """
    increase = f"increase({metric}{{{select}}}[$__rate_interval])"
    nothing = f'label_replace(sum({increase}) == 0, "{by}", "none", "", "")'
    of_exporter = f"sum by (job, instance, account, {by}) ({increase})"
    return f"sum by ({by}) (max by (account, {by}) ({of_exporter})) > 0 or {nothing}"


def unique_names(info: str, circuit: str, seen: str) -> str:
    """Return a series with value 1 for every circuit, whose label ``name`` tells it from all others.

    It is the description, with the number of the ID if several circuits have it, or the ID if there is no
    description. ``info`` is the name of the info metric, ``circuit`` the label with the ID, ``seen`` selects
    all circuits.
    """
    # Two exporters may differ just after a description has changed.
    described = one(
        f'group by (account, {circuit}, description) ({info}{{{ALL}, description!=""}})',
        f"account, {circuit}",
    )
    with_id = f'label_join({described}, "name", " ", "description", "{circuit}")'
    return (
        f"label_replace({described}\n    unless on (description) count by (description) ({described}) > 1,"
        ' "name", "$1", "description", "(.+)")\n'
        f"  or on (account, {circuit})"
        f' label_replace({with_id}, "name", "$1 $2", "name", "(.+) PF-[A-Z0-9-]+-([0-9]+)(-PF)?")\n'
        f"  or on (account, {circuit})"
        f' label_replace(group by (account, {circuit}) ({seen}), "name", "$1", "{circuit}", "(.+)")'
    )


def names(kind: str) -> str:
    """Return the unique names of all ports or virtual circuits."""
    info = f"packetfabric_{kind}_info"
    seen = f"packetfabric_{kind}_last_event_timestamp_seconds{{{ALL}}} or {info}{{{ALL}}}"
    return unique_names(info, f"{kind}_circuit_id", seen)


def once(expression: str, keys: str = PORT_KEYS) -> str:
    """Evaluate an expression at the end and the start of the time range instead of at each step.

    With 1,000 ports, the names of all of them take longer than the rest of a graph. The start is for
    series that have no sample at the end, because the exporter is down or the circuit was deleted.
    """
    end, start = (_WITHOUT_TIME.sub(rf"\g<0> @ {when}()", expression) for when in ("end", "start"))
    return f"({end}\n  or on ({keys}) {start})"


def _named(expression: str, keys: str, named: str) -> str:
    return f"({expression})\n  * on ({keys}) group_left (name) (\n  {named})"


def port_named(expression: str) -> str:
    """Add the label ``name`` to series of ports in a table."""
    return _named(expression, PORT_KEYS, names("port"))


def vc_named(expression: str) -> str:
    """Add the label ``name`` to series of virtual circuits in a table."""
    return _named(expression, VC_KEYS, names("vc"))


def port_named_in_graph(expression: str) -> str:
    """Add the label ``name`` to series of ports in a graph."""
    return _named(expression, PORT_KEYS, once(names("port")))


def vc_named_in_graph(expression: str) -> str:
    """Add the label ``name`` to series of virtual circuits in a graph."""
    return _named(expression, VC_KEYS, once(names("vc"), VC_KEYS))


def circuits(kind: str) -> str:
    """Return the query of a variable: name and ID of all circuits in the inventory or in events."""
    return f"query_result(max by (name, {kind}_circuit_id) ({names(kind)}))"


def here(expression: str) -> str:
    """Leave out series of ports in other POPs and markets than the chosen ones; unknown ports stay."""
    elsewhere = once(
        f'packetfabric_port_info{{{ALL}, pop!~"$pop"}} or packetfabric_port_info{{{ALL}, market!~"$market"}}'
    )
    return f"({expression}\n  unless on ({PORT_KEYS}) {elsewhere})"


def end_of(side: str, select: str = ALL) -> str:
    """Return a series per virtual circuit with the port at its A or Z end (``side``) in a label."""
    ends = (
        f'label_replace(packetfabric_vc_info{{{select}, port_{side}!=""}},'
        f' "port_circuit_id", "$1", "port_{side}", "(.+)")'
    )
    return f"group by ({VC_KEYS}, port_circuit_id) ({ends})"


def vcs_here(expression: str) -> str:
    """Leave out virtual circuits without an end in the chosen POPs and markets, if their ports are known."""
    ends = f"({end_of('a')} or {end_of('z')})"
    info = f"packetfabric_port_info{{{ALL}"
    chosen = f'{info}, pop=~"$pop", market=~"$market"}}'
    outside = f'({info}, pop!~"$pop"}} or {info}, market!~"$market"}})'
    elsewhere = (
        f"{ends} and on ({PORT_KEYS}) {outside}\n"
        f"    unless on ({VC_KEYS}) ({ends} and on ({PORT_KEYS}) {chosen})"
    )
    return f"({expression}\n  unless on ({VC_KEYS}) {once(elsewhere, VC_KEYS)})"


_SPEED = fold(f"packetfabric_port_speed_bytes_per_second{{{ALL}}}")
_LAG = f'group by ({PORT_KEYS}, lag) (packetfabric_port_info{{{ALL}, lag!=""}})'
CAPACITY = (
    "(label_replace(\n"
    f"    sum by (account, lag) ({_SPEED} * on ({PORT_KEYS}) group_right () {_LAG}),\n"
    '    "port_circuit_id", "$1", "lag", "(.+)")\n'
    f"  or on ({PORT_KEYS}) {_SPEED})"
)
"""Bytes per second; of a LAG, the sum of its members, because the API does not document its own speed."""
NOT_A_MEMBER = f'unless on ({PORT_KEYS}) packetfabric_port_info{{{ALL}, lag!=""}}'
"""Leaves out LAG members, whose traffic the LAG counts, too."""
ADMIN_DOWN = f"packetfabric_port_admin_up{{{ALL}}} == 0"
"""Selects ports that are shut on purpose."""
OPERATIONAL_UP = fold(f"packetfabric_port_operational_up{{{ALL}}}")
CONNECTED = fold(f"packetfabric_vc_connected{{{ALL}}}", VC_KEYS)


def port_traffic(direction: str, span: str = "10m", select: str = ALL, at: str = "") -> str:
    """Return the traffic of each port in bytes per second; ``at`` is an offset."""
    return fold(mean(f"packetfabric_port_{direction}_bytes_per_second", select, span, at))


def port_utilization(direction: str, span: str = "10m", select: str = ALL, at: str = "") -> str:
    """Return the share of its speed that each port uses; ``at`` is an offset."""
    return f"{port_traffic(direction, span, select, at)}\n  / on ({PORT_KEYS}) group_left () {CAPACITY}"


def busier(receive: str, transmit: str, keys: str = PORT_KEYS) -> str:
    """Return the higher of two directions."""
    return (
        f'max by ({keys}) (label_replace({receive}, "way", "receive", "", "")\n'
        f'  or label_replace({transmit}, "way", "transmit", "", ""))'
    )


def vc_utilization(direction: str, span: str = "10m", select: str = ALL) -> str:
    """Return the share of its rate limit that each VC end uses."""
    limit = f"packetfabric_vc_{direction}_limit_bytes_per_second{{{ALL}}}"
    return (
        f"{fold_ends(mean(f'packetfabric_vc_{direction}_bytes_per_second', select, span))}\n"
        f"  / on ({VC_KEYS}) group_left () ({fold(limit, VC_KEYS)} > 0)"
    )


def loss(source: str, to: str, span: str, select: str = ALL) -> str:
    """Return the share of packets that entered at one end (``a`` or ``z``) and did not leave at the other.

    Empty for circuits of which only one end reports, and for those that carry almost nothing.
    """

    def packets(direction: str, side: str) -> str:
        counted = f"increase(packetfabric_vc_{direction}_packets_total{{{select}}}[{span}])"
        at_end = f"{fold_ends(counted)} and on ({VC_KEYS}, port_circuit_id) {end_of(side, select)}"
        return f"sum by ({VC_KEYS}) ({at_end})"

    return f"clamp_min(1 - {packets('transmit', to)}\n  / ({packets('receive', source)} > 1000), 0)"


def per_million(errors: str, packets: str, span: str, select: str = ALL) -> str:
    """Return errors per million packets; empty for ports with almost no packets."""
    return (
        f"1e6 * {fold(f'increase({errors}{{{select}}}[{span}])')}"
        f"\n  / ({fold(f'increase({packets}{{{select}}}[{span}])')} > 1e4)"
    )


def percentile(expression: str) -> str:
    """Return the 95th percentile of five-minute averages over the selected time range, of one circuit.

    For many circuits, :func:`recorded_percentile` is several times as fast, but needs the recording rules.
    """
    return f"quantile_over_time(0.95, ({expression})[$__range:5m])"


def recorded(kind: str, direction: str) -> str:
    """Return the recorded five-minute averages of the traffic of ports or VC ends in bytes per second."""
    return f"{kind}:packetfabric_{kind}_{direction}_bytes_per_second:avg5m{{{RECORDED}}}"


def recorded_percentile(kind: str, direction: str, keys: str) -> str:
    """Return the 95th percentile of the recorded averages over the selected time range."""
    return fold(f"quantile_over_time(0.95, {recorded(kind, direction)}[$__range])", keys)
