"""Which ports and virtual circuits the page lists, in which state and order, and how they are found."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest

from pf_exporter.config.accounts import Account, StreamFilter
from pf_exporter.config.settings import Config
from pf_exporter.inventory.snapshot import Snapshot
from pf_exporter.schema.events import EVENTS
from pf_exporter.schema.labels import canonical_id
from pf_exporter.schema.maintenance import Maintenance
from pf_exporter.schema.observation import Observation
from pf_exporter.schema.polled_resource import PolledResource
from pf_exporter.schema.resource import Circuit, Resource
from pf_exporter.schema.resources import RESOURCES
from pf_exporter.schema.resources.ports import PORTS
from pf_exporter.schema.resources.virtual_circuits import VIRTUAL_CIRCUITS
from pf_exporter.state.history import ErrorLog
from pf_exporter.state.stats import AccountStats
from pf_exporter.state.store import Store
from pf_exporter.web.circuit_listing import Listing, list_circuits
from pf_exporter.web.circuit_tables import PAGE_SIZE
from pf_exporter.web.circuits import CircuitState, Port, Traffic, VirtualCircuit, matches
from pf_exporter.web.page_query import PageQuery
from pf_exporter.web.sources import StatusSources
from pf_exporter.web.status import status_context, take_snapshot
from pf_exporter.web.status_page import render_page
from tests.state.harness import Clock, T

ACCOUNT = Account(name="one")


def port_item(id_: str, **fields: Any) -> dict[str, Any]:
    return {
        "port_circuit_id": id_,
        "description": f"Name of {id_}",
        "operational_status": "up",
        "admin_status": "up",
        "speed": "1Gbps",
        "pop": "LAX1",
        "site": "CoreSite LA1",
        **fields,
    }


def vc_item(id_: str, a: str, z: str, **fields: Any) -> dict[str, Any]:
    return {
        "vc_circuit_id": id_,
        "description": f"Name of {id_}",
        "connected": True,
        "rate_limit_in": 100,
        "interfaces": [{"port_circuit_id": a}, {"port_circuit_id": z}],
        **fields,
    }


def inventory(ports: Sequence[Mapping[str, Any]] = (), vcs: Sequence[Mapping[str, Any]] = ()) -> Snapshot:
    def parsed(resource: Resource, items: Sequence[Mapping[str, Any]]) -> dict[str, Circuit]:
        circuits = [resource.parse(item, ())[0] for item in items]
        return {canonical_id(circuit.id): circuit for circuit in circuits if circuit is not None}

    found: dict[str, dict[str, Circuit]] = {resource.name: {} for resource in RESOURCES} | {
        PORTS.name: parsed(PORTS, ports),
        VIRTUAL_CIRCUITS.name: parsed(VIRTUAL_CIRCUITS, vcs),
    }
    return Snapshot().updated(found, 100_000, 0.0)


class Network:
    """A store with events, and an inventory."""

    def __init__(self, snapshot: Snapshot, account: Account = ACCOUNT) -> None:
        self.clock = Clock()
        self.store = Store(ttl=60.0, limit=100_000, clock=self.clock)
        self.store.add_account(account.name)
        self.snapshot = snapshot
        self._account = account

    def send(self, event: str, *circuit: str, receive: float = 0.0, transmit: float = 0.0) -> None:
        """Store an event with rates in bits per second."""
        type_ = EVENTS[event]
        rates = {"bytes_rx_bps": receive, "bytes_tx_bps": transmit}
        values = tuple(rates.get(field) for field in type_.fields)
        self.store.write(self._account.name, Observation(type_, circuit, (), values, None), T)

    def listing(self) -> Listing:
        return list_circuits(self.store, {self._account.name: self.snapshot}, [self._account])

    def ports(self) -> dict[str, CircuitState]:
        return {circuit.id: circuit.state for circuit in self.listing().ports}

    def vcs(self) -> dict[str, CircuitState]:
        return {circuit.id: circuit.state for circuit in self.listing().vcs}


@dataclass(frozen=True)
class PolledInventory:
    """What the page reads of an inventory."""

    snapshot: Snapshot
    errors: ErrorLog = field(default_factory=ErrorLog)
    retry_at: float | None = None
    resources: tuple[PolledResource, ...] = ()

    def failing(self) -> list[str]:
        return []

    def maintenances(self) -> list[Maintenance]:
        return []


def test_down_ports_come_first_then_those_without_data() -> None:
    """A port without any event is listed; then by utilization, and at the end what is meant to be down."""
    network = Network(
        inventory(
            [
                port_item("PF-1-disabled", operational_status="down", admin_status="down"),
                port_item("PF-2-idle"),
                port_item("PF-3-fast", speed="100Gbps"),
                port_item("PF-4-busy"),
                port_item("PF-5-silent"),
                port_item("PF-6-down", operational_status="down"),
                port_item("PF-7-down", operational_status="down"),
            ]
        )
    )
    network.send("port|metrics", "PF-2-idle")
    network.send("port|metrics", "PF-3-fast", receive=2e9)
    network.send("port|metrics", "PF-4-busy", transmit=5e8)
    network.send("port|metrics", "PF-7-down", receive=9e8)
    network.send("port|metrics", "PF-8-new", receive=5e5)
    assert list(network.ports().items()) == [
        ("PF-7-down", CircuitState.DOWN),
        ("PF-6-down", CircuitState.DOWN),
        ("PF-5-silent", CircuitState.NO_DATA),
        ("PF-4-busy", CircuitState.UP),
        ("PF-3-fast", CircuitState.UP),
        ("PF-8-new", CircuitState.UNKNOWN),
        ("PF-2-idle", CircuitState.UP),
        ("PF-1-disabled", CircuitState.ADMIN_DOWN),
    ]
    assert network.listing().port_states[CircuitState.UP] == 3


def test_a_port_that_falls_silent_has_no_data() -> None:
    """After the TTL a port has no data and no rates; the age of its last event is kept."""
    network = Network(inventory([port_item("PF-1")]))
    network.send("port|metrics", "PF-1", receive=1e6)
    assert network.ports() == {"PF-1": CircuitState.UP}
    network.clock.now += 61
    (port,) = network.listing().ports
    assert isinstance(port, Port)
    assert port.state is CircuitState.NO_DATA
    assert (port.traffic.receive, port.traffic.is_live, port.traffic.age is None) == (None, False, False)


@pytest.mark.parametrize(
    ("streams", "state"),
    [
        ((StreamFilter("port"),), CircuitState.NO_DATA),
        ((StreamFilter("port", selectors=("PF-1",)),), CircuitState.NO_DATA),
        ((StreamFilter("port", selectors=("PF-12",)),), CircuitState.NOT_SUBSCRIBED),
        ((StreamFilter("port", events=("optical",)),), CircuitState.NOT_SUBSCRIBED),
        ((StreamFilter("vc"),), CircuitState.NOT_SUBSCRIBED),
    ],
)
def test_ports_that_are_not_subscribed_to(streams: tuple[StreamFilter, ...], state: CircuitState) -> None:
    """A port that the account's streams do not include is not reported as missing."""
    network = Network(inventory([port_item("PF-1")]), Account(name="one", streams=streams))
    assert network.ports() == {"PF-1": state}


def test_states_of_virtual_circuits() -> None:
    """A virtual circuit is down, has no data, has data of one end only, or is up."""
    vcs = [vc_item(f"VC-{number}", "PF-1", "PF-2") for number in (1, 2, 3)]
    network = Network(inventory(vcs=[*vcs, vc_item("VC-4", "PF-1", "PF-2", connected=False)]))
    for end in (("VC-2", "PF-1", "4"), ("VC-3", "PF-1", "5"), ("VC-3", "PF-2", "6"), ("VC-9", "PF-1", "7")):
        network.send("vc|metrics", *vc_end(*end))
    assert list(network.vcs().items()) == [
        ("VC-4", CircuitState.DOWN),
        ("VC-1", CircuitState.NO_DATA),
        ("VC-2", CircuitState.PARTIAL),
        ("VC-3", CircuitState.UP),
        ("VC-9", CircuitState.UNKNOWN),
    ]


def vc_end(vc: str, port: str, vlan: str) -> tuple[str, ...]:
    """The values in the order of the event's own fields."""
    values = {"vc_circuit_id": vc, "port_circuit_id": port, "vlan": vlan}
    return tuple(values[name] for name in EVENTS["vc|metrics"].circuit)


def test_an_end_that_is_not_subscribed_to_is_not_missing() -> None:
    """Where only one end is selected, the virtual circuit is complete with it."""
    account = Account(name="one", streams=(StreamFilter("vc", selectors=("VC-1-PF&PF-1",)),))
    network = Network(inventory(vcs=[vc_item("VC-1", "PF-1", "PF-2")]), account)
    assert network.vcs() == {"VC-1": CircuitState.NO_DATA}
    network.send("vc|metrics", *vc_end("VC-1", "PF-1", "4"))
    assert network.vcs() == {"VC-1": CircuitState.UP}


def test_both_ends_with_ports_and_vlans() -> None:
    """Each end has its port with name, its VLAN and its traffic, in the spelling of the stream."""
    snapshot = inventory([port_item("PF-1"), port_item("PF-2")], [vc_item("VC-1", "PF-1", "PF-2")])
    network = Network(snapshot)
    network.send("vc|metrics", *vc_end("VC-1-PF", "PF-2-PF", "20"), receive=3e6)
    (vc,) = network.listing().vcs
    assert isinstance(vc, VirtualCircuit)
    assert (vc.id, vc.name, vc.speed) == ("VC-1-PF", "Name of VC-1", 1e8)
    a, z = vc.ends
    assert (a.side, a.port, a.port_name, a.vlan, a.traffic) == ("A", "PF-1", "Name of PF-1", "", Traffic())
    assert (z.side, z.port, z.port_name, z.vlan, z.traffic.receive) == (
        "Z",
        "PF-2-PF",
        "Name of PF-2",
        "20",
        3e6,
    )


def test_both_ends_on_one_port() -> None:
    """Two ends on one port are two ends, and a further end is listed too."""
    network = Network(inventory(vcs=[vc_item("VC-1", "PF-1", "PF-1")]))
    for vlan in ("4", "5", "6"):
        network.send("vc|metrics", *vc_end("VC-1", "PF-1", vlan))
    (vc,) = network.listing().vcs
    assert isinstance(vc, VirtualCircuit)
    assert [(end.side, end.vlan) for end in vc.ends] == [("A", "4"), ("Z", "5"), ("", "6")]


@pytest.mark.parametrize(
    ("search", "found"),
    [
        ("pf-1", ["PF-1", "PF-12"]),
        ("name OF pf-12", ["PF-12"]),
        ("coresite lax1", ["PF-1", "PF-12", "PF-3"]),
        ("LON", ["PF-4"]),
        ("down", ["PF-3"]),
        ("no data", ["PF-1", "PF-12", "PF-4"]),
        ("vlan:10", []),
        ("nothing", []),
        (" ", ["PF-1", "PF-12", "PF-3", "PF-4"]),
    ],
)
def test_ports_are_found(search: str, found: list[str]) -> None:
    """A search finds what has all its words in name, ID, state, site, POP or market."""
    ports = [
        port_item("PF-1"),
        port_item("PF-12"),
        port_item("PF-3", operational_status="down"),
        port_item("PF-4", pop="X", site="Y", market="LON"),
    ]
    circuits = Network(inventory(ports)).listing().ports
    assert sorted(circuit.id for circuit in circuits if matches(circuit, search)) == found


@pytest.mark.parametrize(
    ("search", "is_found"),
    [("vlan:20", True), ("vlan:2", False), ("vlan 20", True), ("name pf-2", True), ("coresite", True)],
)
def test_virtual_circuits_are_found(search: str, is_found: bool) -> None:
    """A virtual circuit is found by its ports and VLANs, too; ``vlan:`` finds exactly that VLAN."""
    snapshot = inventory([port_item("PF-2")], [vc_item("VC-1", "PF-1", "PF-2")])
    network = Network(snapshot)
    network.send("vc|metrics", *vc_end("VC-1", "PF-2", "20"))
    (vc,) = network.listing().vcs
    assert matches(vc, search) is is_found


def test_5000_ports() -> None:
    """With thousands of circuits a page is as long as with a hundred, and each circuit is on one page."""
    ports = [port_item(f"PF-AP-LAX1-{number}") for number in range(5000)]
    vcs = [vc_item(f"PF-BC-{n}", f"PF-AP-LAX1-{n}", f"PF-AP-LAX1-{n - 1}") for n in range(1, 5000)]
    network = Network(inventory(ports, vcs))
    for number in range(0, 5000, 3):
        network.send("port|metrics", f"PF-AP-LAX1-{number}", receive=number * 1e5)
    config = Config(accounts=(ACCOUNT,))
    inventories = {ACCOUNT.name: PolledInventory(network.snapshot)}
    stats = AccountStats(ACCOUNT, idle_timeout=1.0)
    snapshot = take_snapshot(StatusSources(config, network.store, [stats], inventories, {}))
    seen = set()
    for number in (1, 2, 200):
        query = PageQuery(open=("configuration", "events"), page={"port": number, "vc": number})
        context = status_context(snapshot, query)
        assert len(render_page(context).encode()) < 200_000
        seen |= {port.id for port in context.ports} | {vc.id for vc in context.vcs}
    assert len(seen) == 3 * 2 * PAGE_SIZE - 1
    assert context.ports_view.next_url == ""
