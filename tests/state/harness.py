"""A store with clocks that tests set, and observations to write to it."""

from __future__ import annotations

from collections.abc import Iterable

from pf_exporter.schema.events import EVENTS
from pf_exporter.schema.observation import Numbers, Observation
from pf_exporter.state.store import Store, WriteResult
from pf_exporter.state.table import Row
from tests.metrics.reference_collector import ReferenceCollector

TTL = 600.0
T = 1_790_000_000.0


class Clock:
    """A clock that tests set."""

    def __init__(self, now: float = 1000.0) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now


class StoreHarness:
    """A store of some accounts, and its clocks."""

    def __init__(
        self, *, limit: int = 1_000_000, delta: tuple[str, ...] = (), accounts: Iterable[str] = "ab"
    ) -> None:
        self.clock = Clock(50.0)
        self.wall = Clock(T)
        self.store = Store(ttl=TTL, limit=limit, delta=delta, clock=self.clock)
        for account in accounts:
            self.store.add_account(account)

    def write(self, observation: Observation, account: str = "a") -> WriteResult:
        return self.store.write(account, observation, self.wall())

    def row(self, circuit: str = "p", event: str = "port|metrics", account: str = "a") -> Row | None:
        return dict(self.store.rows(event)[account]).get(circuit_of(event, circuit))

    def values(self, circuit: str = "p", event: str = "port|metrics", account: str = "a") -> Numbers | None:
        row = self.row(circuit, event, account)
        return None if row is None else row.values

    def series_on_metrics(self) -> dict[str, float]:
        """Return the number of series on /metrics by account; ``packetfabric_series`` is checked."""
        counts = dict.fromkeys(self.store.series(), 0.0)
        counted: dict[str, float] = {}
        for family in ReferenceCollector(self.store).collect():
            for sample in family.samples:
                if family.name == "packetfabric_series":
                    counted[sample.labels["account"]] = sample.value
                else:
                    counts[sample.labels["account"]] += 1
        assert counted == self.store.series()
        return counts


def circuit_of(event: str, circuit: str) -> tuple[str, ...]:
    return (circuit,) if event.startswith("port|") else (circuit, "port", "4")


def observation(
    value: float | None,
    circuit: str = "p",
    event: str = "port|metrics",
    at: float | None = None,
    lanes: int = 1,
) -> Observation:
    """Return an observation whose values are all the same."""
    event_type = EVENTS[event]
    lane_names = tuple(map(str, range(lanes))) if event_type.has_lanes else ()
    width = len(event_type.fields) * (lanes if event_type.has_lanes else 1)
    return Observation(event_type, circuit_of(event, circuit), lane_names, (value,) * width, at)
