"""The circuits of an account as of the last successful poll of each list."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import NamedTuple

from pf_exporter.schema import PORTS, RESOURCES, VIRTUAL_CIRCUITS, Circuit, Resource, canonical_id

Circuits = Mapping[str, Circuit]
"""By canonical ID, which is the ID without a trailing ``-PF``."""


FALL_POLLS = 3
"""Polls in a row after which a drop in the number of circuits by more than half is accepted."""


class Snapshot(NamedTuple):
    """The circuits of all polled resources; replaced as a whole, never changed."""

    circuits: Mapping[str, Circuits] = MappingProxyType({})
    """By name of the resource."""
    retained: frozenset[tuple[str, str]] = frozenset()
    """Resource and canonical ID of circuits that are still shown although the last poll did not find them."""
    left_out_of: Mapping[str, int] = MappingProxyType({})
    """By resource, circuits that would exceed the limit of series."""
    read_at: Mapping[str, float | None] = MappingProxyType({})
    """By resource, UNIX seconds of the last successful poll; None before the first."""
    falls: Mapping[str, int] = MappingProxyType({})
    """By resource, in how many polls in a row most of its circuits were missing; they are still shown."""

    @property
    def at(self) -> float | None:
        """UNIX seconds at which the oldest of the lists was read; None before all of them have been."""
        times = [at for at in self.read_at.values() if at is not None]
        return min(times, default=None) if len(times) == len(self.read_at) else None

    @property
    def left_out(self) -> int:
        """Circuits that would exceed the limit of series."""
        return sum(self.left_out_of.values())

    def of(self, resource: Resource) -> Circuits:
        """Return the circuits of a resource."""
        return self.circuits.get(resource.name, {})

    def description(self, circuit_id: str) -> str:
        """Return the description of a circuit; empty if there is none."""
        for resource in RESOURCES:
            circuit = self.of(resource).get(canonical_id(circuit_id))
            if circuit is not None:
                return resource.label(circuit, "description")
        return ""

    def absent(self, circuit_ids: Iterable[str]) -> list[str]:
        """Return the IDs that neither list of circuits has; none of them while a list is incomplete."""
        names = (PORTS.name, VIRTUAL_CIRCUITS.name)
        if self.left_out or any(self.read_at.get(name) is None for name in names):
            return []
        listed = {key for name in names for key in self.circuits[name]}
        return [circuit_id for circuit_id in circuit_ids if canonical_id(circuit_id) not in listed]

    def count_missing(self) -> dict[str, int]:
        """Return, by resource, how many of the circuits shown the last poll did not find."""
        return {
            name: sum((name, key) in self.retained for key in circuits)
            for name, circuits in self.circuits.items()
        }

    def updated(self, found: Mapping[str, Circuits], limit: int, at: float) -> Snapshot:
        """Return the next snapshot with at most ``limit`` series; circuits that are already there come first.

        Lists that are not in ``found`` stay as they are.

        A circuit is removed when two successive polls have not found it: a list that changes while it is read
        page by page can omit an object. If more than half of a resource's circuits are missing, they are
        removed only after ``FALL_POLLS`` such polls in a row: an error of the API is more likely.
        """
        retained = {(name, key) for name, key in self.retained if name not in found}
        falls = {name: polls for name, polls in self.falls.items() if name not in found}
        for name, circuits in found.items():
            shown = self.circuits.get(name, {})
            not_found = {(name, key) for key in shown if key not in circuits}
            polls = self.falls.get(name, 0) + 1 if 2 * len(not_found) > len(shown) else 0
            if 0 < polls < FALL_POLLS:
                falls[name] = polls
                retained |= not_found
            else:
                retained |= not_found - self.retained
        kept: list[tuple[str, str]] = []
        new: list[tuple[str, str]] = []
        lists = {**self.circuits, **found}
        for name, circuits in lists.items():
            before = self.circuits.get(name, {})
            kept += [(name, key) for key in before if key in circuits or (name, key) in retained]
            new += [(name, key) for key in circuits if key not in before]
        result: dict[str, dict[str, Circuit]] = {name: {} for name in lists}
        left_out = {name: 0 if name in found else self.left_out_of.get(name, 0) for name in lists}
        room = limit
        for name, key in (*kept, *new):
            circuit = lists[name].get(key) or self.circuits[name][key]
            if circuit.series > room:
                left_out[name] += 1
            else:
                room -= circuit.series
                result[name][key] = circuit
        read_at = {**self.read_at, **dict.fromkeys(found, at)}
        return Snapshot(result, frozenset(retained), left_out, read_at, falls)
