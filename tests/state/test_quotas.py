"""How accounts share the limit of series."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from pf_exporter.schema.observation import Observation
from pf_exporter.state.account_rows import Quota, divide_limit
from pf_exporter.state.store import WriteResult
from tests.state.harness import TTL, StoreHarness, observation

KEPT, REFUSED = WriteResult.KEPT, WriteResult.REFUSED


def flood(harness: StoreHarness, account: str, number: int = 20) -> None:
    """Write more circuits than fit."""
    for index in range(number):
        harness.write(observation(1.0, f"{account}{index}"), account)


def test_an_account_may_use_what_is_free() -> None:
    """One account may fill the store while the others need no space."""
    harness = StoreHarness(limit=90)
    flood(harness, "a")
    assert harness.store.series() == {"a": 90, "b": 0}


def test_a_flood_takes_nothing_from_another_account() -> None:
    """An account that was silent for longer than the TTL gets its share back from one that floods."""
    harness = StoreHarness(limit=90)
    circuits = [f"mine{index}" for index in range(5)]
    for circuit in circuits:
        harness.write(observation(1.0, circuit), "b")
    harness.clock.now += TTL + 1
    flood(harness, "a", 30)
    assert [harness.values(circuit, account="b") for circuit in circuits] == [()] * 5
    assert harness.store.series() == {"a": 81, "b": 5}
    assert [harness.write(observation(2.0, circuit), "b") for circuit in circuits] == [KEPT] * 5
    flood(harness, "a", 30)
    assert [harness.values(circuit, account="b") for circuit in circuits] == [(2.0,) * 8] * 5
    assert harness.store.series() == {"a": 45, "b": 45}


def test_borrowed_rows_make_room_in_order() -> None:
    """What another account has borrowed is removed when needed: expired rows first, then the least recent."""
    harness = StoreHarness(limit=40)
    for index, circuit in enumerate("xpqr"):
        harness.write(observation(1.0, circuit))
        if not index:
            harness.clock.now += TTL + 1
        harness.clock.now += 1
    harness.write(observation(2.0, "p"))
    assert harness.store.series() == {"a": 28, "b": 0}
    assert harness.write(observation(1.0, "m"), "b") is KEPT
    assert harness.write(replace(observation(1.0, "n"), values=(1.0, 1.0, *[None] * 6)), "b") is KEPT
    assert harness.row("x") is not None
    assert harness.write(replace(observation(1.0, "n"), values=(1.0, 1.0, 1.0, *[None] * 5)), "b") is KEPT
    assert harness.row("x") is None
    assert harness.write(observation(1.0, "n"), "b") is KEPT
    assert [harness.values(circuit) for circuit in "pqr"] == [(2.0,) * 8, None, (1.0,) * 8]
    assert harness.store.series() == {"a": 18, "b": 18}


@pytest.mark.parametrize("events", [("port|metrics", "vc|metrics"), ("vc|metrics", "port|metrics")])
def test_the_least_recent_row_of_all_events_is_removed(events: tuple[str, str]) -> None:
    """The circuit to remove is chosen by the time of its event, not by its type."""
    harness = StoreHarness(limit=25)
    for event in events:
        harness.write(observation(1.0, event=event))
        harness.clock.now += 1
    assert harness.write(observation(1.0), "b") is KEPT
    assert [harness.row(event=event) is None for event in events] == [True, False]


def test_above_its_share_an_account_evicts_nothing_live() -> None:
    """Two accounts that both have more than their share keep what they have; neither pushes the other out."""
    harness = StoreHarness(limit=50, accounts="abc")
    for circuit in "pq":
        for account in "ab":
            harness.write(observation(1.0, circuit), account)
    assert harness.store.series() == {"a": 18, "b": 18, "c": 0}
    assert harness.write(observation(1.0, "r"), "a") is KEPT
    assert harness.write(observation(1.0, "r"), "b") is REFUSED
    assert harness.write(observation(1.0, "s"), "a") is REFUSED
    assert harness.write(observation(1.0, "p"), "c") is KEPT
    assert harness.store.series() == {"a": 18, "b": 18, "c": 9}


def test_expired_rows_within_a_share_stay() -> None:
    """The times of the last events of silent circuits stay while their account is within its share."""
    harness = StoreHarness(limit=30)
    for circuit in "pq":
        harness.write(observation(1.0, circuit), "b")
    harness.clock.now += TTL + 1
    flood(harness, "a")
    assert harness.store.series() == {"a": 27, "b": 2}
    assert (harness.values("p", account="b"), harness.values("q", account="b")) == ((), ())


def test_only_borrowed_expired_rows_make_room_for_borrowing() -> None:
    """An account above its share gets the room of another's expired rows only if that was borrowed."""
    harness = StoreHarness(limit=30)
    for index in range(16):
        harness.write(observation(None, f"p{index}"), "b")
    harness.clock.now += TTL + 1
    assert harness.write(observation(1.0, "p")) is KEPT
    assert harness.write(observation(1.0, "q")) is REFUSED
    assert harness.store.series() == {"a": 9, "b": 16}
    six = replace(observation(None, "q"), values=(*[1.0] * 5, *[None] * 3))
    assert harness.write(six) is KEPT
    assert harness.store.series() == {"a": 15, "b": 15}


def test_expired_rows_stay_while_others_have_borrowed() -> None:
    """Within its share an account keeps its expired rows, and gets room from what others have borrowed."""
    harness = StoreHarness(limit=30)
    harness.write(observation(1.0, "silent"), "b")
    harness.clock.now += TTL + 1
    flood(harness, "a", 3)
    assert harness.write(observation(1.0, "p"), "b") is KEPT
    assert harness.values("silent", account="b") == ()
    assert harness.store.series() == {"a": 18, "b": 10}


def test_a_limit_of_its_own() -> None:
    """An account with a ``series_limit`` gets exactly that many series; no other account can take them."""
    harness = StoreHarness(limit=45, accounts="")
    harness.store.add_account("own", 20)
    harness.store.add_account("other")
    flood(harness, "own")
    assert harness.store.series() == {"own": 18, "other": 0}
    flood(harness, "other")
    assert harness.store.series() == {"own": 18, "other": 27}
    harness.clock.now += TTL + 1
    flood(harness, "other")
    assert harness.store.series() == {"own": 2, "other": 36}
    assert harness.write(observation(1.0, "own0"), "own") is KEPT
    assert harness.write(observation(1.0, "own1"), "own") is KEPT
    assert harness.write(observation(1.0, "own2"), "own") is REFUSED
    assert harness.store.series() == {"own": 18, "other": 27}


def test_expired_rows_make_room_within_the_own_limit() -> None:
    """Below its ``series_limit`` an account's expired rows are removed for its live ones."""
    harness = StoreHarness(limit=1000, accounts="")
    harness.store.add_account("own", 10)
    for circuit in "pqr":
        assert harness.write(observation(1.0, circuit), "own") is KEPT
        harness.clock.now += TTL + 1
    assert harness.store.series() == {"own": 10}
    assert harness.row("p", account="own") is None


def test_limits_may_change() -> None:
    """A lower limit removes nothing by itself, but no account can hold the share of another."""
    harness = StoreHarness(limit=90)
    flood(harness, "a")
    harness.store.set_limits(45, {})
    assert harness.store.series() == {"a": 90, "b": 0}
    assert harness.write(observation(2.0, "a0")) is KEPT
    assert harness.write(observation(1.0, "p"), "b") is KEPT
    assert harness.store.series() == {"a": 36, "b": 9}
    harness.store.set_limits(45, {"b": 9})
    assert harness.write(observation(1.0, "q"), "b") is REFUSED
    harness.store.set_limits(45, {"b": None})
    assert harness.write(observation(1.0, "q"), "b") is KEPT
    assert harness.store.series() == {"a": 27, "b": 18}


def test_a_new_account_gets_its_share() -> None:
    """An account that is added while the store is full gets its share from those above theirs."""
    harness = StoreHarness(limit=90)
    flood(harness, "a", 5)
    flood(harness, "b", 5)
    harness.store.add_account("c")
    flood(harness, "c")
    assert harness.store.series() == {"a": 27, "b": 36, "c": 27}


@pytest.mark.parametrize(
    ("limit", "own", "shares"),
    [
        (100, {}, {}),
        (100, {"a": None}, {"a": (100, 100)}),
        (100, {"a": None, "b": None, "c": None}, {"a": (33, 100), "b": (33, 100), "c": (33, 100)}),
        (100, {"a": 70, "b": None, "c": None}, {"a": (70, 70), "b": (15, 100), "c": (15, 100)}),
        (100, {"a": 70, "b": 70, "c": None}, {"a": (70, 70), "b": (30, 70), "c": (0, 100)}),
    ],
)
def test_shares(limit: int, own: dict[str, int | None], shares: dict[str, tuple[int, int]]) -> None:
    """Limits of accounts come first, the rest is divided equally, and the sum is never above the limit."""
    assert divide_limit(limit, own) == {account: Quota(*pair) for account, pair in shares.items()}


def small(circuit: str) -> Observation:
    """Return an observation of three series."""
    return replace(observation(1.0, circuit), values=(1.0, 1.0, *[None] * 6))


def flood_small(harness: StoreHarness, account: str, number: int) -> None:
    for index in range(number):
        harness.write(small(f"{account}{index}"), account)


def write_silent(harness: StoreHarness, account: str, number: int) -> None:
    """Write circuits that expire; each remains as one series."""
    for index in range(number):
        harness.write(observation(None, f"silent{index}"), account)
    harness.clock.now += TTL + 1


def test_an_account_gets_all_of_its_share() -> None:
    """An account may grow to exactly its share, although nothing of another account has expired."""
    harness = StoreHarness(limit=30)
    flood_small(harness, "a", 8)
    flood_small(harness, "b", 2)
    assert harness.write(observation(1.0, "p"), "b") is KEPT
    assert harness.store.series() == {"a": 15, "b": 15}


def test_expired_rows_up_to_the_share_stay() -> None:
    """Of its own expired rows an account loses only those above its share, one by one."""
    harness = StoreHarness(limit=30)
    write_silent(harness, "a", 7)
    flood_small(harness, "b", 7)
    assert harness.write(observation(1.0, "p")) is KEPT
    assert harness.store.series() == {"a": 15, "b": 15}


def test_no_more_expired_rows_are_removed_than_necessary() -> None:
    """What another account has borrowed for expired rows makes room one by one."""
    harness = StoreHarness(limit=30)
    write_silent(harness, "b", 20)
    assert harness.write(observation(1.0, "p")) is KEPT
    assert harness.write(replace(observation(1.0, "q"), values=(*[1.0] * 4, *[None] * 4))) is KEPT
    assert harness.store.series() == {"a": 14, "b": 16}


def test_own_expired_rows_make_room_for_borrowing() -> None:
    """At the limit of all accounts, one that has everything replaces its expired rows."""
    harness = StoreHarness(limit=30)
    write_silent(harness, "a", 20)
    for circuit in "pq":
        assert harness.write(observation(1.0, circuit)) is KEPT
    assert harness.store.series() == {"a": 30, "b": 0}
    assert harness.values("q") == (1.0,) * 8


def test_own_expired_rows_make_room_while_others_are_within_their_share() -> None:
    """An account above its share replaces its own expired rows, and no more than necessary."""
    harness = StoreHarness(limit=30)
    write_silent(harness, "a", 15)
    flood_small(harness, "b", 3)
    flood_small(harness, "a", 3)
    assert harness.store.series() == {"a": 21, "b": 9}
    assert harness.values("a0") is not None


def test_expired_rows_make_room_at_the_maximum() -> None:
    """At its own limit an account replaces its expired rows; what is missing then comes from others."""
    harness = StoreHarness(limit=30)
    harness.store.set_limits(30, {"a": 12})
    write_silent(harness, "a", 6)
    flood_small(harness, "b", 8)
    assert harness.write(observation(1.0, "p")) is KEPT
    assert harness.store.series() == {"a": 12, "b": 18}


def test_an_account_at_its_share_loses_nothing() -> None:
    """The expired rows of an account that has exactly its share stay."""
    harness = StoreHarness(limit=45, accounts="abc")
    write_silent(harness, "c", 15)
    flood_small(harness, "a", 10)
    assert harness.write(observation(1.0, "p"), "b") is KEPT
    assert harness.store.series() == {"a": 21, "b": 9, "c": 15}


def test_a_row_that_does_not_grow_needs_no_room() -> None:
    """A circuit that comes back with as many series as it has stays, even above a limit set meanwhile."""
    harness = StoreHarness(limit=10, accounts="a")
    write_silent(harness, "a", 1)
    harness.write(observation(1.0))
    harness.store.set_limits(5, {})
    assert harness.write(observation(None, "silent0")) is KEPT
    assert harness.store.series() == {"a": 10}


def test_the_share_of_a_removed_account() -> None:
    """The other accounts divide the share of an account that is removed."""
    harness = StoreHarness(limit=30)
    assert harness.store.quota("a") == Quota(15, 30)
    harness.store.remove_account("b")
    assert harness.store.quota("a") == Quota(30, 30)
