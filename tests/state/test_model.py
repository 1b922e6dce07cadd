"""The store against a naive model of it."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from pf_exporter.schema.events import EVENTS
from pf_exporter.state.store import WriteResult
from tests.state.harness import TTL, StoreHarness, T, circuit_of, observation

CIRCUITS = st.sampled_from("pqr")
ACCOUNTS = "abc"
TIMES = st.none() | st.sampled_from([T, T + 1, T + 2])
KINDS = st.sampled_from(["port|metrics", "port|errors", "vc|metrics", "port|optical"])
DELTA = ("port|errors",)


def size_of(values: Collection[float | None]) -> int:
    return 1 + sum(value is not None for value in values)


class Model(RuleBasedStateMachine):
    """A store beside a dictionary of rows that is searched as a whole for everything."""

    def __init__(self) -> None:
        super().__init__()
        self.limit = 65
        self.harness = StoreHarness(limit=self.limit, delta=DELTA)
        self.now = 50.0
        self.rows: dict[tuple[str, str, str], dict[str, Any]] = {}
        self.own_limits: dict[str, int | None] = {"a": None, "b": None}

    def size(self, account: str = "") -> int:
        """Return the series of an account, or of all accounts."""
        return sum(size_of(row["values"]) for key, row in self.rows.items() if account in ("", key[0]))

    def expired(self, account: str) -> int:
        return sum(key[0] == account and not row["live"] for key, row in self.rows.items())

    def share(self, account: str) -> int:
        own = self.own_limits[account]
        sharing = [limit for limit in self.own_limits.values() if limit is None]
        return (
            (self.limit - sum(filter(None, self.own_limits.values()))) // len(sharing) if own is None else own
        )

    def fits(self, account: str, growth: int, *, is_return: bool) -> bool:
        maximum = self.own_limits[account] or self.limit
        if self.size() + growth <= self.limit and self.size(account) + growth <= maximum:
            return True
        own_expired = self.expired(account) - is_return
        needed = self.size(account) - own_expired + growth
        removable = own_expired + sum(
            max(min(self.expired(other), self.size(other) - self.share(other)), 0)
            for other in self.own_limits
            if other != account
        )
        fits_in_total = needed <= self.share(account) or self.size() + growth - removable <= self.limit
        return needed <= maximum and fits_in_total

    def forget_removed(self, account: str, key: tuple[str, str, str]) -> None:
        """Check which rows the store has removed for a write of an account, and remove them here."""
        borrowers = {other for other in self.own_limits if self.size(other) > self.share(other)}
        removed = [
            name for name in self.rows if name != key and self.harness.row(name[2], name[1], name[0]) is None
        ]
        live = [name for name in removed if self.rows[name]["live"]]
        for name in removed:
            del self.rows[name]
        assert {name[0] for name in removed} <= borrowers | {account}
        if live:
            assert account not in {name[0] for name in live}
            assert self.size(account) <= self.share(account)

    def expire(self) -> None:
        for row in self.rows.values():
            if row["live"] and self.now - row["received_monotonic"] > TTL:
                sample = row["timestamp"], () if row["delta"] else row["values"]
                row.update(live=False, values=(), timestamp=None, lanes=(), expired_sample=sample)

    @staticmethod
    def is_repeat(row: dict[str, Any], at: float, values: Collection[float | None]) -> bool:
        """Return whether an event is the last sample of a row, which may have expired since."""
        if row["live"]:
            return bool(at == row["timestamp"] and (row["delta"] or values == row["values"]))
        return bool(row["expired_sample"] == (at, () if row["delta"] else values))

    @rule(account=st.sampled_from(ACCOUNTS), limit=st.sampled_from([None, None, 12, 20]))
    def add_account(self, account: str, limit: int | None) -> None:
        if account not in self.own_limits:
            self.harness.store.add_account(account, limit)
            self.own_limits[account] = limit

    @precondition(lambda self: len(self.own_limits) > 1)
    @rule(data=st.data())
    def remove_account(self, data: st.DataObject) -> None:
        account = data.draw(st.sampled_from(sorted(self.own_limits)))
        self.harness.store.remove_account(account)
        del self.own_limits[account]
        self.rows = {key: row for key, row in self.rows.items() if key[0] != account}

    @rule(seconds=st.sampled_from([0.0, 1.0, TTL / 2, TTL, TTL + 1]))
    def wait(self, seconds: float) -> None:
        self.now += seconds
        self.harness.clock.now += seconds

    @rule(seconds=st.sampled_from([3600.0, -3600.0, 1e9]))
    def set_the_wall_clock(self, seconds: float) -> None:
        self.harness.wall.now += seconds

    @rule(
        data=st.data(),
        event=KINDS,
        circuit=CIRCUITS,
        value=st.none() | st.sampled_from([0.0, 1.0, 5.0]),
        at=TIMES,
        lanes=st.sampled_from([0, 1, 4]),
    )
    def write(
        self,
        *,
        data: st.DataObject,
        event: str,
        circuit: str,
        value: float | None,
        at: float | None,
        lanes: int,
    ) -> None:
        account = data.draw(st.sampled_from(sorted(self.own_limits)))
        written = observation(value, circuit, event, at, lanes)
        result = self.harness.write(written, account)
        self.expire()
        key = (account, event, circuit)
        stored = self.rows.get(key)
        expected = WriteResult.KEPT
        values = written.values
        if stored is not None and at is not None and self.is_repeat(stored, at, values):
            assert result is WriteResult.DUPLICATE
            return
        if stored is not None and stored["live"]:
            before = stored["values"]
            if at is not None and stored["timestamp"] is not None and at < stored["timestamp"]:
                assert result is WriteResult.OUT_OF_ORDER
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
        lanes_kept = written.lanes
        growth = size_of(values) - (0 if stored is None else size_of(stored["values"]))
        is_return = stored is not None and not stored["live"]
        is_live = True
        if growth > 0 and not self.fits(account, growth, is_return=is_return):
            if stored is None:
                assert result is WriteResult.REFUSED
                return
            expected = WriteResult.REDUCED
            is_live = stored["live"]
            if event == "port|optical":
                count = min(len(stored["values"]), len(values)) if not is_return else 0
                kept = stored["lanes"] if len(stored["lanes"]) < len(lanes_kept) else lanes_kept
                lanes_kept = () if is_return else kept
                values = tuple(
                    None if a is None else b
                    for a, b in zip(stored["values"][:count], values[:count], strict=True)
                )
            else:
                old = stored["values"] or (None,) * len(values)
                values = (
                    ()
                    if is_return
                    else tuple(None if a is None else b for a, b in zip(old, values, strict=True))
                )
        assert result is expected
        if growth > 0 and result is not WriteResult.REDUCED:
            self.forget_removed(account, key)
        self.rows[key] = {
            "live": is_live,
            "values": values,
            "timestamp": at if is_live else None,
            "received_monotonic": self.now,
            "received_at": self.harness.wall.now,
            "lanes": lanes_kept,
            "delta": event in DELTA,
            "expired_sample": None if stored is None else stored["expired_sample"],
        }

    @invariant()
    def holds_the_same(self) -> None:
        self.expire()
        for account in self.own_limits:
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
        assert counted == {account: self.size(account) for account in self.own_limits}
        assert self.size() <= self.limit


Model.TestCase.settings = settings(max_examples=100, stateful_step_count=40)
TestModel = Model.TestCase
