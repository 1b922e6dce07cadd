"""The filter on events, circuits and fields of ``pf-exporter tail``."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase

from pf_exporter.schema import canonical_id


def _matches(names: Iterable[str], patterns: Sequence[str]) -> bool:
    """Whether any name matches any pattern; no pattern matches everything."""
    return not patterns or any(fnmatchcase(name, pattern) for name in names for pattern in patterns)


@dataclass(frozen=True)
class EventFilter:
    """Shell patterns for events, circuits and fields; without a pattern everything is shown."""

    events: Sequence[str] = ()
    circuits: Sequence[str] = ()
    fields: Sequence[str] = ()
    zeros: bool = False
    """Whether fields that are 0 are shown, too."""

    def matches_event(self, name: str) -> bool:
        """Whether to show an event of this name."""
        return _matches([name], self.events)

    def matches_circuit(self, names: Sequence[str]) -> bool:
        """Whether to show a circuit with these IDs and this description; IDs match with and without -PF."""
        return _matches([*names, *map(canonical_id, names)], self.circuits)

    def matches_field(self, name: str) -> bool:
        """Whether to show a field, by the API's name."""
        return _matches([name], self.fields)

    def matches_value(self, name: str, value: float) -> bool:
        """Whether to show a field with this value: zero only if asked for."""
        return self.matches_field(name) and bool(value or self.zeros or name in self.fields)
