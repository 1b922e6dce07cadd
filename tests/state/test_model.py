"""The store against a naive model of it."""

from __future__ import annotations

from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from pf_exporter.schema.events import EVENTS
from pf_exporter.state.store import WriteResult
from tests.state.harness import TTL, StoreHarness, T, circuit_of, observation

CIRCUITS = st.sampled_from("pqr")
ACCOUNTS = st.sampled_from("ab")
TIMES = st.none() | st.sampled_from([T, T + 1, T + 2])
KINDS = st.sampled_from(["port|metrics", "port|errors", "vc|metrics", "port|optical"])
DELTA = ("port|errors",)


class Model(RuleBasedStateMachine):
    """A store beside a dictionary of rows that is searched as a whole for everything."""

    def __init__(self) -> None:
        super().__init__()
        self.limit = 65
        self.harness = StoreHarness(limit=self.limit, delta=DELTA)
        self.now = 50.0
        self.rows: dict[tuple[str, str, str], dict[str, Any]] = {}

    def size(self) -> int:
        return sum(1 + sum(v is not None for v in row["values"]) for row in self.rows.values())

    def expire(self) -> None:
        for row in self.rows.values():
            if row["live"] and self.now - row["received_monotonic"] > TTL:
                row.update(live=False, values=(), timestamp=None)

    @rule(seconds=st.sampled_from([0.0, 1.0, TTL / 2, TTL, TTL + 1]))
    def wait(self, seconds: float) -> None:
        self.now += seconds
        self.harness.clock.now += seconds

    @rule(seconds=st.sampled_from([3600.0, -3600.0, 1e9]))
    def set_the_wall_clock(self, seconds: float) -> None:
        self.harness.wall.now += seconds

    @rule(
        account=ACCOUNTS,
        event=KINDS,
        circuit=CIRCUITS,
        value=st.none() | st.sampled_from([0.0, 1.0, 5.0]),
        at=TIMES,
        lanes=st.sampled_from([0, 1, 4]),
    )
    def write(
        self,
        *,
        account: str,
        event: str,
        circuit: str,
        value: float | None,
        at: float | None,
        lanes: int,
    ) -> None:
        written = observation(value, circuit, event, at, lanes)
        result = self.harness.write(written, account)
        self.expire()
        key = (account, event, circuit)
        stored = self.rows.get(key)
        expected = WriteResult.KEPT
        values = written.values
        if stored is not None and stored["live"]:
            before = stored["values"]
            if at is not None and stored["timestamp"] is not None:
                if at < stored["timestamp"]:
                    assert result is WriteResult.OUT_OF_ORDER
                    return
                if at == stored["timestamp"] and (event in DELTA or values == before):
                    assert result is WriteResult.DUPLICATE
                    return
            if event in DELTA:
                values = tuple(a if b is None else b + (a or 0) for a, b in zip(before, values, strict=True))
            elif (
                event != "port|optical" and value is not None and before[0] is not None and value < before[0]
            ):
                if at is not None and at == stored["timestamp"]:
                    assert result is WriteResult.OUT_OF_ORDER
                    return
                expected = WriteResult.RESET
        size = 1 + sum(v is not None for v in values)
        growth = size - (0 if stored is None else 1 + sum(v is not None for v in stored["values"]))
        if growth > 0:
            others = [row for name, row in self.rows.items() if not row["live"] and name != key]
            if self.size() + growth - len(others) > self.limit:
                assert result is WriteResult.REFUSED
                return
        assert result is expected
        self.rows[key] = {
            "live": True,
            "values": values,
            "timestamp": at,
            "received_monotonic": self.now,
            "received_at": self.harness.wall.now,
            "lanes": written.lanes,
        }
        # Which expired row is removed is tested in test_limit.py; here only that it was expired.
        for name in [name for name, row in self.rows.items() if not row["live"]]:
            if self.size() > self.limit and self.harness.row(name[2], name[1], name[0]) is None:
                del self.rows[name]

    @invariant()
    def holds_the_same(self) -> None:
        self.expire()
        for account in "ab":
            for event in EVENTS:
                rows = dict(self.harness.store.rows(event)[account])
                mine = {key[2]: row for key, row in self.rows.items() if key[:2] == (account, event)}
                assert rows.keys() == {circuit_of(event, circuit) for circuit in mine}
                for circuit, row in mine.items():
                    theirs = rows[circuit_of(event, circuit)]
                    assert theirs.values == row["values"]
                    assert theirs.lanes == (row["lanes"] if row["live"] else ())
                    assert theirs.timestamp == row["timestamp"]
                    assert (theirs.received_monotonic, theirs.received_at) == (
                        row["received_monotonic"],
                        row["received_at"],
                    )

    @invariant()
    def counts_right(self) -> None:
        self.expire()
        self.harness.store.rows("port|metrics")
        counted = self.harness.series_on_metrics()
        assert counted == self.harness.store.series()
        assert sum(counted.values()) == self.size() <= self.limit


Model.TestCase.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)
TestModel = Model.TestCase
