"""What a resource remembers from one response to the next."""

from __future__ import annotations

from collections import Counter
from typing import Protocol

from pf_exporter.schema import BGP_STATES, BGP_TRANSITIONS, OTHER, Reading, Sample, Transition

LOOKS = 3
"""Responses in a row without an announced maintenance after which it is dropped."""


class Memory(Protocol):
    """Turns a response into what is shown, with what came before."""

    def update(self, target: str, reading: Reading, now: float) -> Reading:
        """Return what is shown; ``now`` is UNIX seconds."""


class MaintenanceMemory:
    """Keeps a maintenance that is not over if it is missing from a response or two.

    Otherwise an incomplete response would make the alerts of an announced outage fire.
    """

    def __init__(self) -> None:
        self._missing: Counter[str] = Counter()
        self._shown = Reading()

    def update(self, target: str, reading: Reading, now: float) -> Reading:
        """Return the newest notification of each maintenance."""
        newest = {maintenance.uuid: maintenance for maintenance in reading.maintenances}
        for maintenance in self._shown.maintenances:
            uuid = maintenance.uuid
            found = newest.get(uuid)
            if found is not None:
                self._missing.pop(uuid, None)
                if found.updated < maintenance.updated:
                    newest[uuid] = maintenance
            elif not maintenance.is_over and (maintenance.end is None or maintenance.end > now):
                self._missing[uuid] += 1
                if self._missing[uuid] < LOOKS:
                    newest[uuid] = maintenance
                else:
                    del self._missing[uuid]
        self._shown = Reading(maintenances=tuple(newest.values()))
        return self._shown


class TransitionMemory:
    """Counts every transition of a log once, although the requested times overlap.

    Two equal lines in one response are two transitions. Those before ``since`` (UNIX seconds) do not count.
    """

    def __init__(self, since: float, overlap: float) -> None:
        self._since = since
        self._overlap = overlap
        self._seen: dict[str, Counter[Transition]] = {}
        self._totals: dict[str, Counter[str]] = {}

    def update(self, target: str, reading: Reading, now: float) -> Reading:
        """Return the totals of a connection; each is at 0 before its first transition."""
        found = Counter(one for one in reading.transitions if one.at >= self._since)
        seen = self._seen.get(target, Counter())
        totals = self._totals.setdefault(target, Counter())
        for transition, count in found.items():
            totals[transition.to] += max(count - seen[transition], 0)
        # Requests begin up to the overlap before the last success, hence twice of it.
        recent = now - 2 * self._overlap
        self._seen[target] = Counter({one: count for one, count in (seen | found).items() if one.at > recent})
        return Reading(
            tuple(
                Sample(BGP_TRANSITIONS.name, (target, state), float(totals[state]))
                for state in (*BGP_STATES, OTHER)
            )
        )
