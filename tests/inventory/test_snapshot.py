"""Snapshots: a circuit is removed after two polls without it, and the limit of series holds."""

from __future__ import annotations

import pytest

from pf_exporter.inventory.snapshot import Circuits, Snapshot
from pf_exporter.schema.resource import Circuit
from pf_exporter.schema.resources.ports import PORTS
from pf_exporter.schema.resources.virtual_circuits import VIRTUAL_CIRCUITS

INFO = (((), 1.0),)


def circuits(*ids: str, series: int = 1) -> Circuits:
    return {id: Circuit(id, {f"family {number}": INFO for number in range(series)}) for id in ids}


def test_a_snapshot_of_nothing() -> None:
    """Before the first poll there are no circuits and no time."""
    assert Snapshot().of(PORTS) == {}
    assert Snapshot().at is None


def test_circuits_are_those_found() -> None:
    """A poll replaces circuits by what it found, resource by resource."""
    snapshot = Snapshot().updated({"port": circuits("a"), "vc": circuits("b")}, 100, 1.0)
    assert (list(snapshot.of(PORTS)), list(snapshot.of(VIRTUAL_CIRCUITS))) == (["a"], ["b"])
    changed = circuits("a", series=3)
    snapshot = snapshot.updated({"port": changed, "vc": circuits("b")}, 100, 2.0)
    assert snapshot.of(PORTS) == changed
    assert (snapshot.at, snapshot.left_out) == (2.0, 0)


def test_a_circuit_is_removed_after_two_polls_without_it() -> None:
    """Missing once it is kept as it was, missing twice it is removed, and found again it starts over."""
    snapshot = Snapshot()
    shown = []
    for found in ("ab", "a", "ab", "a", "a", "ab", "a"):
        snapshot = snapshot.updated({"port": circuits(*found)}, 100, 1.0)
        shown.append("".join(snapshot.of(PORTS)))
    assert shown == ["ab", "ab", "ab", "ab", "a", "ab", "ab"]


@pytest.mark.parametrize(
    ("polls", "shown", "missing"),
    [
        # Half of the circuits may disappear within two polls, more than half only within three.
        ("abcd ab ab", "abcd abcd ab", "0 2 0"),
        ("abcd a a a a", "abcd abcd abcd a a", "0 3 3 0 0"),
        # Missing twice, but the fall was not seen in three polls in a row.
        ("abcd a abcd a a a", "abcd abcd abcd abcd abcd a", "0 3 0 3 3 0"),
        ("abcd a abc a a a", "abcd abcd abc abc abc a", "0 3 0 2 2 0"),
        # Circuits that disappear only in the third poll stay for one more.
        ("abcde ab ab a a", "abcde abcde abcde ab a", "0 3 3 1 0"),
        # Everything; and everything replaced by as many others, which is no fall.
        ("abc - - - -", "abc abc abc - -", "0 3 3 0 0"),
        ("abc xyz xyz", "abc abcxyz xyz", "0 3 0"),
        # One of one.
        ("a - - -", "a a a -", "0 1 1 0"),
    ],
)
def test_a_fall_is_believed_after_three_polls(polls: str, shown: str, missing: str) -> None:
    """While more than half of the circuits are missing, they stay for two polls and are counted."""
    snapshot = Snapshot()
    for found, expected, count in zip(polls.split(), shown.split(), missing.split(), strict=True):
        snapshot = snapshot.updated({"port": circuits(*found.strip("-")), "vc": {}}, 100, 1.0)
        assert "".join(sorted(snapshot.of(PORTS))) == expected.strip("-"), found
        assert snapshot.count_missing() == {"port": int(count), "vc": 0}


def test_falls_are_separate() -> None:
    """A fall in one list does not delay the removal of circuits in another."""
    snapshot = Snapshot().updated({"port": circuits(*"abc"), "vc": circuits(*"abc")}, 100, 1.0)
    for _ in range(2):
        snapshot = snapshot.updated({"port": {}, "vc": circuits(*"ab")}, 100, 1.0)
    assert (list(snapshot.of(PORTS)), list(snapshot.of(VIRTUAL_CIRCUITS))) == ([*"abc"], [*"ab"])
    assert snapshot.falls == {"port": 2}


@pytest.mark.parametrize("order", ["abc", "cba"])
def test_circuits_that_are_shown_have_priority(order: str) -> None:
    """Above the limit new circuits are left out and counted, whatever the order of the list."""
    snapshot = Snapshot().updated({"port": circuits("a", "b", series=5)}, 11, 1.0)
    snapshot = snapshot.updated({"port": circuits(*order, series=5)}, 11, 2.0)
    assert (list(snapshot.of(PORTS)), snapshot.left_out) == (["a", "b"], 1)


def test_a_small_circuit_fits_where_a_large_one_does_not() -> None:
    """The limit counts series, and each circuit is shown completely or not at all."""
    found = {"port": {**circuits("large", series=9), **circuits("small", series=2)}}
    snapshot = Snapshot().updated(found, 8, 1.0)
    assert (list(snapshot.of(PORTS)), snapshot.left_out) == (["small"], 1)


def test_lists_that_were_not_read_stay() -> None:
    """A list that a poll does not contain keeps its circuits, and what was found out about them."""
    snapshot = Snapshot(read_at=dict.fromkeys(("port", "vc")))
    snapshot = snapshot.updated({"port": circuits(*"abc")}, 4, 1.0)
    assert snapshot.at is None
    snapshot = snapshot.updated({"vc": circuits(*"xy")}, 4, 2.0)
    assert (snapshot.at, snapshot.left_out) == (1.0, 1)
    snapshot = snapshot.updated({"port": {}}, 4, 3.0)
    for at in (4.0, 5.0):
        snapshot = snapshot.updated({"vc": circuits(*"x")}, 4, at)
    assert (list(snapshot.of(PORTS)), snapshot.falls) == ([*"abc"], {"port": 1})
    assert (snapshot.count_missing(), snapshot.at) == ({"port": 3, "vc": 0}, 3.0)
    snapshot = snapshot.updated({"vc": circuits(*"xy")}, 4, 6.0)
    assert snapshot.updated({"port": circuits(*"abc")}, 4, 7.0).left_out == 1


def test_absent_circuits() -> None:
    """Circuits that no list has are absent, but only once both lists are read, and read completely."""
    ids = ("a-PF", "b", "c")
    snapshot = Snapshot().updated({"port": circuits("a")}, 100, 1.0)
    assert snapshot.absent(ids) == []
    snapshot = snapshot.updated({"vc": circuits("b")}, 100, 2.0)
    assert snapshot.absent(ids) == ["c"]
    assert snapshot.updated({"port": circuits("a", "d")}, 2, 3.0).absent(ids) == []
