"""The tables of ports and virtual circuits: the page that was asked for, of what a search found."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from pf_exporter.formatting import NO_VALUE, bit_rate, duration
from pf_exporter.web.circuit_context import EndEntry, PortEntry, Rate, TableView, VcEntry
from pf_exporter.web.circuits import CircuitState, Listed, Port, Traffic, VirtualCircuit, matches
from pf_exporter.web.page_query import PAUSED, PageQuery
from pf_exporter.web.page_values import Fact, Severity
from pf_exporter.web.port_health import PortHealth

PAGE_SIZE = 25
"""Circuits on a page of a table."""
SEVERITIES = {
    CircuitState.DOWN: Severity.BAD,
    CircuitState.NO_DATA: Severity.WARNING,
    CircuitState.PARTIAL: Severity.WARNING,
    CircuitState.UP: Severity.GOOD,
}
_HINTS = {"port": "Name, ID, site, POP, state", "vc": "Name, ID, port, site, POP, vlan:10"}
_TITLES = {"port": "Ports", "vc": "Virtual circuits"}


def state_facts(states: Mapping[CircuitState, int]) -> list[Fact]:
    """How many circuits there are in each state, without states that do not occur."""
    return [
        Fact(state.value, f"{states[state]:,}", severity=SEVERITIES.get(state, Severity.NEUTRAL))
        for state in CircuitState
        if states.get(state)
    ]


def table_page(name: str, circuits: Sequence[Listed], query: PageQuery) -> tuple[TableView, Sequence[Listed]]:
    """The page of a table that a query asks for, or the last one if there are fewer; and its circuits."""
    search = query.search.get(name, "")
    found = [circuit for circuit in circuits if matches(circuit, search)] if search else circuits
    pages = max(-(-len(found) // PAGE_SIZE), 1)
    number = min(query.page.get(name, 1), pages)
    start = (number - 1) * PAGE_SIZE
    shown = found[start : start + PAGE_SIZE]
    view = TableView(
        name=name,
        title=_TITLES[name],
        note=_note(len(circuits), len(found), start, len(shown), search),
        search=search,
        search_hint=_HINTS[name],
        clear_url=query.with_search(name, "").url(name) if search else "",
        has_focus=query.focus == name and query.refresh == PAUSED,
        previous_url=query.with_page(name, number - 1).url(name) if number > 1 else "",
        next_url=query.with_page(name, number + 1).url(name) if number < pages else "",
    )
    return view, shown


def _note(total: int, found: int, start: int, shown: int, search: str) -> str:
    if not total:
        return "No data yet."
    if not found:
        return f"None of {total:,} matches."
    of = f"{found:,} found, {total:,} in total" if search else f"{found:,}"
    return f"{start + 1:,} to {start + shown:,} of {of}."


def port_entries(ports: Sequence[Port], health: PortHealth, *, with_account: bool) -> list[PortEntry]:
    """The rows of the table of ports."""
    return [_port_entry(port, health, port.account if with_account else "") for port in ports]


def _port_entry(port: Port, health: PortHealth, account: str) -> PortEntry:
    key = (port.account, port.id)
    return PortEntry(
        id=port.id,
        name=port.name,
        account=account,
        state=port.state.value,
        severity=SEVERITIES.get(port.state, Severity.NEUTRAL),
        pop=port.pop or NO_VALUE,
        site=port.site,
        speed=bit_rate(port.speed),
        lag=port.lag,
        receive=_rate(port.traffic, port.traffic.receive, port.speed),
        transmit=_rate(port.traffic, port.traffic.transmit, port.speed),
        errors=_pair(health.errors.get(key), "{:,.0f}"),
        light=_pair(health.light.get(key), "{:.1f}"),
        last_event=_age(port.traffic),
    )


def _pair(pair: tuple[float | None, float | None] | None, form: str) -> str:
    if pair is None or pair == (None, None):
        return NO_VALUE
    return " / ".join(NO_VALUE if number is None else form.format(number) for number in pair)


def _age(traffic: Traffic) -> str:
    return "none" if traffic.age is None else f"{duration(traffic.age)} ago"


def _rate(traffic: Traffic, bits: float | None, speed: float | None) -> Rate:
    if not traffic.is_live or bits is None:
        return Rate(NO_VALUE, "", "")
    if not speed:
        return Rate(bit_rate(bits, zeros=True), "", "")
    share = bits / speed
    return Rate(bit_rate(bits, zeros=True), f"{share:.0%}", f"{min(share, 1.0) * 100:.1f}")


def vc_entries(vcs: Sequence[VirtualCircuit], *, with_account: bool) -> list[VcEntry]:
    """The rows of the table of virtual circuits."""
    return [
        VcEntry(
            id=vc.id,
            name=vc.name,
            account=vc.account if with_account else "",
            state=vc.state.value,
            severity=SEVERITIES.get(vc.state, Severity.NEUTRAL),
            speed=bit_rate(vc.speed),
            ends=list(_ends(vc)),
        )
        for vc in vcs
    ]


def _ends(vc: VirtualCircuit) -> Iterator[EndEntry]:
    for end in vc.ends:
        yield EndEntry(
            side=end.side,
            port=end.port,
            port_name=end.port_name,
            vlan=end.vlan or NO_VALUE,
            receive=_rate(end.traffic, end.traffic.receive, vc.speed),
            transmit=_rate(end.traffic, end.traffic.transmit, vc.speed),
            last_event=_age(end.traffic),
        )
