"""The status of the exporter: the values of the status page, from what the exporter's parts know."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from pf_exporter import __version__
from pf_exporter.state import AccountStats, Fit
from pf_exporter.web.account_status import account_status
from pf_exporter.web.circuit_listing import Listing, list_circuits
from pf_exporter.web.circuit_tables import port_entries, state_facts, table_page, vc_entries
from pf_exporter.web.effective_settings import effective_settings
from pf_exporter.web.maintenance import maintenance_entries
from pf_exporter.web.moments import moment
from pf_exporter.web.page_query import PAUSED, REFRESH_INTERVALS, TABLES, PageQuery
from pf_exporter.web.page_values import Choice, Fact, Severity
from pf_exporter.web.port_health import PortHealth, port_health
from pf_exporter.web.sending import endpoint_entries
from pf_exporter.web.sources import StatusSources
from pf_exporter.web.status_context import (
    AccountStatus,
    Folding,
    MaintenanceEntry,
    RateEntry,
    ReloadFailure,
    StatusContext,
    TemporalityEntry,
)

MAX_ACCOUNTS = 20
"""Accounts that are shown in full."""
_URGENCY = (Severity.BAD, Severity.WARNING, Severity.GOOD)


@dataclass(frozen=True)
class StatusSnapshot:
    """Everything the page may show, of one moment; pages for different queries are made of it."""

    sources: StatusSources
    at: float
    """UNIX seconds."""
    accounts: Sequence[AccountStatus]
    circuits: Listing
    health: PortHealth
    maintenances: Sequence[MaintenanceEntry]


def take_snapshot(sources: StatusSources) -> StatusSnapshot:
    """The state as of now."""
    now = time.time()
    config, inventories = sources.config, sources.inventories
    stats = {one.account: one for one in sources.accounts}
    configured = [account for account in config.accounts if account.name in stats]
    accounts = [
        account_status(account, stats[account.name], inventories.get(account.name), now)
        for account in configured
    ]
    snapshots = {name: inventory.snapshot for name, inventory in inventories.items()}
    return StatusSnapshot(
        sources,
        now,
        sorted(accounts, key=lambda account: _URGENCY.index(account.severity)),
        list_circuits(sources.store, snapshots, configured),
        port_health(sources.store),
        maintenance_entries({name: inventories[name] for name in stats if name in inventories}, now),
    )


def status_context(snapshot: StatusSnapshot, query: PageQuery) -> StatusContext:
    """The page's values for one query."""
    sources, circuits = snapshot.sources, snapshot.circuits
    ports_view, ports = table_page("port", circuits.ports, query)
    vcs_view, vcs = table_page("vc", circuits.vcs, query)
    several = len(snapshot.accounts) > 1
    return StatusContext(
        title=_title(sources.accounts),
        version=__version__,
        telemetry_path=sources.config.web.telemetry_path,
        refresh_seconds=query.refresh,
        refresh_choices=[
            Choice(f"{seconds} s" if seconds else "off", str(seconds or "off"), seconds == query.refresh)
            for seconds in (*REFRESH_INTERVALS, PAUSED)
        ],
        hidden=list(_hidden(query)),
        rendered_at=moment(snapshot.at, snapshot.at, with_date=True),
        summary=list(_summary(snapshot)),
        reload_failures=[
            ReloadFailure(name, status.problems)
            for name, status in sources.reload_statuses.items()
            if status.problems
        ],
        accounts=snapshot.accounts[:MAX_ACCOUNTS],
        more_accounts=[
            Fact(account.name, account.state, severity=account.severity)
            for account in snapshot.accounts[MAX_ACCOUNTS:]
        ],
        maintenance=snapshot.maintenances,
        endpoints=list(endpoint_entries(sources.endpoints, snapshot.at)),
        ports_view=ports_view,
        ports=port_entries(ports, snapshot.health, with_account=several),
        vcs_view=vcs_view,
        vcs=vc_entries(vcs, with_account=several),
        unknown_fields=[
            str(unknown) for account in sources.accounts for unknown in account.unknown_fields.snapshot()
        ],
        temporality=list(_temporality(sources)),
        rates=list(_rates(sources)),
        settings=effective_settings(sources.config),
        events_folding=Folding("events", "events" in query.open),
        configuration_folding=Folding("configuration", "configuration" in query.open),
    )


def _title(accounts: Sequence[AccountStats]) -> str:
    down = [account.account for account in accounts if not account.up]
    return f"Not streaming: {', '.join(down)}" if down else "Streaming"


def _summary(snapshot: StatusSnapshot) -> Iterator[Fact]:
    """One line for each kind of thing: how many are in each state."""
    states = Counter((account.state, account.severity) for account in snapshot.accounts)
    for (state, severity), count in states.items():
        yield Fact("Accounts", f"{count:,} {state.lower()}", severity=severity)
    for term, counts in (
        ("Ports", snapshot.circuits.port_states),
        ("Virtual circuits", snapshot.circuits.vc_states),
    ):
        for fact in state_facts(counts):
            yield Fact(term, f"{fact.value} {fact.term.lower()}", severity=fact.severity)


def _hidden(query: PageQuery) -> Iterator[tuple[str, str]]:
    """The searches are fields of a paused page; a page that is refreshed keeps their texts here."""
    name = "{}_of" if query.refresh == PAUSED else "{}"
    for table in TABLES:
        yield name.format(table), query.search.get(table, "")
    yield from query.kept_parameters()


def _temporality(sources: StatusSources) -> Iterator[TemporalityEntry]:
    for account in sources.accounts:
        for detected in account.temporality.results():
            if detected.temporality is not None:
                value = detected.temporality.value
                agrees = detected.agrees_with(sources.config.value(detected.setting))
                advice = "matches" if agrees else f"does not match: set it to {value}"
                yield TemporalityEntry(account.account, detected.event, value, detected.evidence, advice)


def _rates(sources: StatusSources) -> Iterator[RateEntry]:
    for account in sources.accounts:
        detector = account.rate_units
        for detected in detector.results():
            for name, evidence in (("bytes", detected.bytes), ("packets", detected.packets)):
                if evidence.fit is not None:
                    matches = evidence.fit is Fit.PACKETS or detected.confirmed(detector.assumed)
                    advice = "matches" if matches else detected.advice(detector.assumed)
                    yield RateEntry(
                        account.account, detected.event, name, evidence.fit.value, str(evidence), advice
                    )
