"""The request of a backfill: times, circuits, labels and output."""

from __future__ import annotations

import fnmatch
from collections.abc import Mapping
from dataclasses import dataclass, field

from pf_exporter.backfill.time_range import TimeSpan, limited
from pf_exporter.schema import canonical_id


@dataclass(frozen=True)
class BackfillRequest:
    """A request for samples; see the flags of ``pf-exporter backfill``."""

    output: str
    """A file, or the URL of a VictoriaMetrics."""
    since: float
    """UNIX seconds."""
    until: float
    circuits: tuple[str, ...] = ()
    """Patterns; empty for all circuits."""
    labels: Mapping[str, str] = field(default_factory=dict)
    """Labels to add to every series, such as ``job``."""
    gaps: Mapping[str, tuple[TimeSpan, ...]] | None = None
    """By account, the times to fill; None for the whole time."""

    @property
    def is_import(self) -> bool:
        """Whether the samples are sent to a server."""
        return self.output.startswith(("http://", "https://"))

    def matches(self, *ids: str) -> bool:
        """Return whether one of these IDs matches a pattern, with or without ``-PF``."""
        return not self.circuits or any(
            fnmatch.fnmatchcase(form, pattern)
            for pattern in self.circuits
            for circuit in ids
            for form in (circuit, canonical_id(circuit))
        )

    def spans(self, account: str) -> list[TimeSpan]:
        """Return the times to fill for an account."""
        whole = TimeSpan(self.since, self.until)
        spans = (whole,) if self.gaps is None else self.gaps.get(account, ())
        return limited(spans, self.since, self.until)
