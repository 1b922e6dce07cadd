"""The check of the inventory: the circuits of an account, and the expected number of their series."""

from __future__ import annotations

from pf_exporter.config import Account
from pf_exporter.diagnostics.result import Notice, Outcome
from pf_exporter.packetfabric import Client, Session
from pf_exporter.schema import EVENTS, PORTS, VIRTUAL_CIRCUITS, Resource, canonical_id

ENDS = 2
"""Ends of a virtual circuit; each has its own series."""
LANES = 4
"""Lanes of an optical module; few have more."""


def series_of(prefix: str) -> int:
    """Return how many series one circuit has in all events with this prefix, such as ``port|``.

    Each event adds one for the time of the last event.
    """
    return sum(
        1 + len(event.fields) * (LANES if event.has_lanes else 1)
        for name, event in EVENTS.items()
        if name.startswith(prefix)
    )


def _circuit_ids(client: Client, session: Session, resource: Resource) -> list[str]:
    pages = client.pages(session, resource.path, key=resource.key, query=resource.query)
    circuits = [resource.parse(item, ())[0] for page in pages for item in page if isinstance(item, dict)]
    return [circuit.id for circuit in circuits if circuit is not None]


def check_inventory(client: Client, session: Session, account: Account, *, series_limit: int) -> Outcome:
    """List the circuits of an account, and compare them with the selection and with ``series_limit``."""
    ports = _circuit_ids(client, session, PORTS)
    vcs = _circuit_ids(client, session, VIRTUAL_CIRCUITS)
    series = len(ports) * series_of("port|") + len(vcs) * ENDS * series_of("vc|")
    message = f"ports: {len(ports):,}, virtual circuits: {len(vcs):,}, expected series: at most {series:,}"
    if series > series_limit:
        limit = "series.limit" if account.series_limit is None else "the account's series_limit"
        return Notice(
            f"{message}, which is more than {limit}",
            f"raise {limit}, or select fewer circuits under streams",
        )
    listed = set(map(canonical_id, (*ports, *vcs)))
    if missing := [circuit for circuit in account.selected_circuits if canonical_id(circuit) not in listed]:
        return Notice(
            f"{message}; not in this account: {', '.join(missing)}",
            "correct ifds and vcs: circuits of other accounts send no events",
        )
    if not ports and not vcs:
        return Notice(message, "nothing to measure; check that this is the right account")
    return message
