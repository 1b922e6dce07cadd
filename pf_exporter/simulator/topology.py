"""The topology: ports, LAGs and virtual circuits, generated from a seed."""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import dataclass, field
from typing import NamedTuple

from pf_exporter.simulator.traffic import DAY, START, Outage, Traffic


class Pop(NamedTuple):
    """A point of presence, with the fields of ``/v2/ports``."""

    name: str
    market: str
    market_description: str
    region: str
    site: str
    site_code: str


POPS = (
    Pop("LAX1", "LAX", "Los Angeles", "US", "CoreSite LA1", "CS-LA1"),
    Pop("NYC1", "NYC", "New York", "US", "Digital Realty 60 Hudson", "DR-NYC1"),
    Pop("LAS1", "LAS", "Las Vegas", "US", "Switch Las Vegas 7", "SW-LAS1"),
    Pop("WDC1", "WDC", "Washington DC", "US", "Equinix DC2", "EQ-DC2"),
    Pop("DA1", "DAL", "Dallas", "US", "Equinix DA1", "EQ-DA1"),
    Pop("CHI1", "CHI", "Chicago", "US", "Equinix CH1", "EQ-CH1"),
    Pop("SFO1", "SFO", "San Francisco", "US", "Equinix SV1", "EQ-SV1"),
    Pop("SEA1", "SEA", "Seattle", "US", "Equinix SE2", "EQ-SE2"),
    Pop("ATL1", "ATL", "Atlanta", "US", "Equinix AT1", "EQ-AT1"),
    Pop("MIA1", "MIA", "Miami", "US", "Equinix MI1", "EQ-MI1"),
    Pop("PHX2", "PHX", "Phoenix", "US", "phoenixNAP", "PN-PHX2"),
    Pop("LON1", "LON", "London", "UK", "Equinix LD5", "EQ-LD5"),
)

GBPS = 1_000_000_000
# Speed in Gbit/s and optics, assigned in this order to the ports that are not in a LAG.
_SPEEDS_AND_MEDIA = ((10, "LR"), (1, "LX"), (100, "LR4"), (10, "LR"), (40, "LR4"), (10, "ER"), (10, "LR"))
_USES = (
    "core uplink",
    "backup site",
    "storage replication",
    "office",
    "peering",
    "lab",
    "transit",
    "DR site",
)
_GIGABITS = (1, 2, 5, 10, 20, 30, 40, 50, 60, 80, 100)
_BANDWIDTHS = (
    *((mbps, f"{mbps}Mbps") for mbps in (50, 100, 200, 300, 400, 500)),
    *((gbps * 1000, f"{gbps}Gbps") for gbps in _GIGABITS),
)


@dataclass(eq=False)
class Port:
    """One row of ``/v2/ports``: a physical port, or a LAG with its members."""

    circuit_id: str
    pop: Pop
    zone: str
    gbps: int
    media: str
    description: str
    reboots: Outage | None = None
    """The reboots of its router, None if it never reboots."""
    flaps: Outage | None = None
    """The flaps of its link, None if it never flaps."""
    has_degrading_optics: bool = False
    """The received optical power falls over days."""
    has_rx_errors: bool = False
    """Damaged frames are received in bursts."""
    is_enabled: bool = True
    """Its administrative state."""
    state: str = "Active"
    status: str = "active"
    """Of provisioning: ``provisioning`` or ``active``."""
    is_silent: bool = False
    """It is in the list, but no event is about it."""
    lag: Port | None = None
    members: list[Port] = field(default_factory=list)
    control_traffic: tuple[Traffic, Traffic] | None = None
    """Routing and link protocols, received and transmitted; None for a LAG, whose members carry it."""
    optics_seed: float = 0.0
    """Between 0 and 1; makes the lasers of ports differ."""

    @property
    def outage(self) -> Outage | None:
        """The outages that interrupt its traffic; None if there are none."""
        return self.flaps or self.reboots

    @property
    def lanes(self) -> int:
        """The number of lanes of its optics."""
        return 4 if self.media.endswith("4") else 1

    def booted_at(self, at: float) -> float:
        """Return when its router last booted, which set all counters to zero."""
        return self.reboots.last_recovery(at) if self.reboots else START

    def reachable(self, at: float) -> bool:
        """Return whether its router reports data."""
        return not self.is_silent and (self.reboots is None or self.reboots.up(at))

    def up(self, at: float) -> bool:
        """Return whether the link is up."""
        return self.is_enabled and (self.outage is None or self.outage.up(at))


@dataclass(frozen=True, eq=False)
class End:
    """One end of a circuit: a port or a LAG, the physical port that carries it, and its VLAN."""

    port: Port
    carrier: Port
    vlan: int


@dataclass(eq=False)
class Circuit:
    """One virtual circuit: two ends, and the traffic in each direction."""

    circuit_id: str
    a: End
    z: End
    mbps: int
    speed: str
    description: str
    az: Traffic
    za: Traffic
    state: str = "Active"
    is_silent: bool = False
    """It is in the list, but no event is about it."""


def build_ports(seed: int, count: int) -> list[Port]:
    """Return ``count`` ports, three per router; those of the second router are a LAG and its two members.

    The first port receives damaged frames, the second flaps, the third has degrading optics. The third router
    reboots once a day.
    """
    rng = random.Random(f"{seed} ports")
    reboots = Outage(period=DAY, down=240, offset=rng.randrange(int(DAY)))
    flaps = Outage(period=600, down=45, offset=rng.randrange(600))
    ports: list[Port] = []
    for index in range(count):
        router, slot = divmod(index, 3)
        pop = POPS[router % len(POPS)]
        zone = "AB"[router // len(POPS) % 2]
        lag_group = router % 4 == 1 and 3 * router + 3 <= count
        gbps, media = (
            (10, "LR") if lag_group else _SPEEDS_AND_MEDIA[(2 * router + slot) % len(_SPEEDS_AND_MEDIA)]
        )
        is_lag = lag_group and slot == 0
        use = "LAG" if is_lag else f"LAG member {slot}" if lag_group else rng.choice(_USES)
        port = Port(
            circuit_id=f"PF-{'AE' if is_lag else 'AP'}-{pop.name}-{2000001 + index}",
            pop=pop,
            zone=zone,
            gbps=gbps,
            media=media,
            description=f"{pop.market_description} {use}",
            # Ports with the same POP and zone are on the same router.
            reboots=reboots if router % (2 * len(POPS)) == 2 else None,
            flaps=flaps if index == 1 else None,
            has_rx_errors=index == 0,
            has_degrading_optics=index == 2,
            optics_seed=rng.random(),
        )
        if lag_group and not is_lag:
            port.lag = ports[3 * router]
            port.lag.members.append(port)
        if not is_lag:
            peak = 0.002 * gbps * GBPS
            port.control_traffic = Traffic(rng, peak, 90, port.outage), Traffic(rng, peak, 90, port.outage)
        ports.append(port)
    return ports


def _pairs(rng: random.Random, ports: list[Port], count: int) -> list[tuple[Port, Port]]:
    """Return the ports to connect; never two with different outages, so that a circuit has at most one."""
    candidates = [port for port in ports if port.lag is None]
    pools = {
        outage: [z for z in candidates if not outage or z.outage in (None, outage)]
        for outage in {z.outage for z in candidates}
    }
    positions = {outage: {z: position for position, z in enumerate(pool)} for outage, pool in pools.items()}
    pairs = []
    for index in range(count):
        a = candidates[index % len(candidates)]
        pool, position = pools[a.outage], positions[a.outage][a]
        # One of the pool without ``a``, if there is another, without a list for each circuit.
        chosen = rng.choice(range(max(1, len(pool) - 1)))
        pairs.append((a, pool[chosen + (chosen >= position and len(pool) > 1)]))
    return pairs


def build_circuits(seed: int, ports: list[Port], count: int) -> list[Circuit]:
    """Return ``count`` circuits between the ports; their peaks never exceed the speed of a port."""
    rng = random.Random(f"{seed} circuits")
    vlans: Counter[Port] = Counter()
    circuits_on: Counter[Port] = Counter()

    def add_end(port: Port) -> End:
        vlan = 4 + vlans[port] % 4091
        carrier = port.members[vlans[port] % len(port.members)] if port.members else port
        vlans[port] += 1
        circuits_on[carrier] += 1
        return End(port, carrier, vlan)

    ends = [(add_end(a), add_end(z)) for a, z in _pairs(rng, ports, count if ports else 0)]
    circuits = []
    for index, (a, z) in enumerate(ends):
        fair_share = min(end.carrier.gbps * GBPS / circuits_on[end.carrier] for end in (a, z))
        peak = fair_share * rng.uniform(0.3, 0.9)
        mbps, speed = next(step for step in _BANDWIDTHS if step[0] * 1_000_000 >= peak)
        outage = a.port.outage or z.port.outage
        circuits.append(
            Circuit(
                circuit_id=f"PF-BC-{a.port.pop.market}-{z.port.pop.market}-{3000001 + index}-PF",
                a=a,
                z=z,
                mbps=mbps,
                speed=speed,
                description=f"{a.port.pop.name} to {z.port.pop.name} ({rng.choice(_USES)})",
                az=Traffic(rng, peak, rng.randrange(500, 1300), outage),
                za=Traffic(rng, peak * rng.uniform(0.1, 1), rng.randrange(200, 1300), outage),
            )
        )
    return circuits
