"""What the status page shows of the endpoints of remote write."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pf_exporter.formatting import NO_VALUE, duration, si
from pf_exporter.web.page_values import Severity

if TYPE_CHECKING:  # Imported only if an endpoint is configured.
    from pf_exporter.remote_write import Endpoint


@dataclass(frozen=True)
class EndpointEntry:
    """An endpoint, ready to print."""

    name: str
    host: str
    state: str
    severity: Severity
    sent: str
    newest: str
    pending: str
    spool: str
    lost: str
    problem: str


def endpoint_entries(endpoints: Iterable[Endpoint], now: float) -> Iterator[EndpointEntry]:
    """Yield the endpoints."""
    for endpoint in endpoints:
        stats, failure = endpoint.stats, endpoint.stats.failure
        lost = {**stats.failed, **stats.dropped}
        state, severity = (
            ("Sending", Severity.GOOD) if stats.samples else ("Nothing sent yet", Severity.WARNING)
        )
        if failure is not None:
            state, severity = "Failing", Severity.BAD
        elif endpoint.spool_problem:
            state, severity = "Sending without spool", Severity.WARNING
        newest = stats.highest_sent
        yield EndpointEntry(
            endpoint.name,
            endpoint.host,
            state,
            severity,
            f"{stats.samples:,}",
            NO_VALUE if newest is None else f"{duration(now - newest)} ago",
            f"{endpoint.pending:,}",
            NO_VALUE if endpoint.spool_bytes is None else si(endpoint.spool_bytes, "B"),
            ", ".join(f"{count:,} {reason}" for reason, count in lost.items() if count) or "none",
            "; ".join(filter(None, (failure.message if failure else "", endpoint.spool_problem))),
        )
