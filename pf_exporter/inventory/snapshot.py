"""The circuits there are, as of the last good look at the lists, and what becomes of them at the next."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple

from pf_exporter.schema import Circuit

Known = Mapping[str, Mapping[str, Circuit]]
"""By noun of a listing, and by plain id, the circuits."""


class Snapshot(NamedTuple):
    """What there is; replaced whole, never changed."""

    circuits: Known = MappingProxyType({})
    missed: frozenset[tuple[str, str]] = frozenset()
    """Noun and plain id of those that the last look did not find, though the one before did."""
    left_out: int = 0
    """How many were found for which there is no room."""
    at: float | None = None
    """UNIX seconds of the last good look; None before the first."""

    def updated(self, found: Known, limit: int, at: float) -> Snapshot:
        """The next snapshot, with at most ``limit`` series; what is there already comes first.

        It takes two looks to be gone: a list that changes while it is read page by page can lose an object.
        """
        unseen = {
            (noun, key)
            for noun, known in self.circuits.items()
            for key in known
            if key not in found.get(noun, {})
        }
        missed = unseen - self.missed
        circuits: dict[str, dict[str, Circuit]] = {noun: {} for noun in found}
        stay, new = [], []
        for noun, known in found.items():
            held = self.circuits.get(noun, {})
            stay += [(noun, key) for key in held if key in known or (noun, key) in missed]
            new += [(noun, key) for key in known if key not in held]
        left_out = 0
        for noun, key in (*stay, *new):
            circuit = found[noun].get(key) or self.circuits[noun][key]
            if circuit.series > limit:
                left_out += 1
            else:
                limit -= circuit.series
                circuits[noun][key] = circuit
        return Snapshot(circuits, frozenset(missed), left_out, at)
