"""The status of the exporter: the values of the status page, from what the exporter's parts know."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from pf_exporter import __version__
from pf_exporter.config import Config
from pf_exporter.formatting import NO_VALUE, bit_rate, duration
from pf_exporter.inventory import Snapshot
from pf_exporter.metrics import ReloadStatus
from pf_exporter.state import AccountStats, Store, StreamState
from pf_exporter.web.effective_settings import effective_settings
from pf_exporter.web.status_context import (
    AccountStatus,
    CircuitEntry,
    CircuitTable,
    ErrorEntry,
    EventEntry,
    Moment,
    ReloadFailure,
    Severity,
    StatusContext,
    TemporalityEntry,
    Utilization,
)
from pf_exporter.web.top_circuits import CircuitTraffic, busiest

REFRESH_SECONDS = 10
"""Seconds until a browser requests the page again."""
MAX_CIRCUITS = 25
"""Circuits of a kind that are listed."""


@dataclass(frozen=True)
class StatusSources:
    """The parts of the exporter that the page shows."""

    config: Config
    store: Store
    accounts: Sequence[AccountStats]
    snapshots: Mapping[str, Snapshot]
    """The inventory by account."""
    reload_statuses: Mapping[str, ReloadStatus]
    """By the name of what was reloaded, such as ``web configuration``."""


def moment(at: float, now: float, *, with_date: bool = False) -> Moment:
    """A time in UNIX seconds; within the last day its text has a date only ``with_date``."""
    date, clock = time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(at)).split(" ")
    text = f"{date} {clock}" if with_date or now - at >= 86_400 else clock
    return Moment(f"{text} UTC", f"{date}T{clock}Z", duration(now - at))


def status_context(sources: StatusSources) -> StatusContext:
    """The page's values as of now."""
    now = time.time()
    accounts = [_account(account, now) for account in sources.accounts]
    down = [account for account in accounts if account.severity is not Severity.GOOD]
    return StatusContext(
        title=f"Not streaming: {', '.join(account.name for account in down)}" if down else "Streaming",
        version=__version__,
        telemetry_path=sources.config.web.telemetry_path,
        refresh_seconds=REFRESH_SECONDS,
        rendered_at=moment(now, now, with_date=True),
        reload_failures=[
            ReloadFailure(name, status.problems)
            for name, status in sources.reload_statuses.items()
            if status.problems
        ],
        accounts=[*down, *(account for account in accounts if account.severity is Severity.GOOD)],
        circuit_tables=[
            _circuit_table(title, *busiest(sources.store, sources.snapshots, event, MAX_CIRCUITS))
            for title, event in (("Ports", "port|metrics"), ("Virtual circuits", "vc|metrics"))
        ],
        unknown_fields=[
            str(unknown) for account in sources.accounts for unknown in account.unknown_fields.snapshot()
        ],
        temporality=list(_temporality(sources)),
        settings=effective_settings(sources.config),
    )


def _state(account: AccountStats) -> tuple[str, Severity]:
    if account.up:
        return "Streaming", Severity.GOOD
    states = {
        StreamState.STREAMING: ("No data within the idle timeout", Severity.BAD),
        StreamState.CONNECTING: ("Connecting", Severity.WARNING),
        StreamState.BACKOFF: ("Waiting to retry", Severity.BAD),
    }
    return states.get(account.state, ("Stopped", Severity.BAD))


def _account(account: AccountStats, now: float) -> AccountStatus:
    state, severity = _state(account)
    rates, lag = account.recent_rates()
    last_usable = dict(account.last_event)  # Copies: the reader's thread adds to these.
    counts = dict(account.events)
    errors = account.history.errors.records()
    expires_at = account.session.expires_at
    return AccountStatus(
        name=account.account,
        state=state,
        severity=severity,
        since=moment(account.history.state_since, now),
        last_event=moment(max(last_usable.values()), now) if last_usable else None,
        lag=NO_VALUE if lag is None else f"{lag:.1f} s",
        session_expires=NO_VALUE if expires_at is None else f"in {duration(expires_at - now)}",
        # The start of the UUID tells subscriptions apart; the whole of it would be a capability.
        subscription=f"{account.bundle[:8]}…" if account.bundle else NO_VALUE,
        streams_opened=account.connects,
        gap=duration(account.gap_seconds),
        errors=[
            ErrorEntry(
                moment(error.last_at, now), str(error.reason), f"{error.message}.", error.reason.remedy
            )
            for error in reversed(errors)
        ],
        events=[
            EventEntry(
                name,
                f"{rates.get(name, 0.0):.3g}",
                f"{count:,}",
                f"{duration(now - last_usable[name])} ago" if name in last_usable else NO_VALUE,
            )
            for name, count in counts.items()
            if count
        ],
    )


def _circuit_table(title: str, circuits: Sequence[CircuitTraffic], total: int) -> CircuitTable:
    note = f"{total:,} in total."
    if not circuits:
        note = "No data yet."
    elif total > len(circuits):
        note = f"The busiest {len(circuits)} of {total:,}."
    return CircuitTable(
        title=title,
        note=note,
        has_optics=any(circuit.receive_power is not None for circuit in circuits),
        rows=[
            CircuitEntry(
                id=circuit.circuit,
                account=circuit.account,
                receive=bit_rate(circuit.receive),
                transmit=bit_rate(circuit.transmit),
                utilization=_utilization(circuit),
                optics=_optics(circuit),
                age=duration(circuit.age),
            )
            for circuit in circuits
        ],
    )


def _utilization(circuit: CircuitTraffic) -> Utilization | None:
    if not circuit.speed:
        return None
    share = min(circuit.busiest / circuit.speed, 1.0)
    return Utilization(f"{share * 100:.1f}", f"{share:.0%} of {bit_rate(circuit.speed)}")


def _optics(circuit: CircuitTraffic) -> str:
    powers = (circuit.receive_power, circuit.transmit_power)
    if powers == (None, None):
        return NO_VALUE
    return " / ".join(NO_VALUE if power is None else f"{power:.1f}" for power in powers)


def _temporality(sources: StatusSources) -> Iterator[TemporalityEntry]:
    for account in sources.accounts:
        for detected in account.temporality.results():
            if detected.temporality is not None:
                value = detected.temporality.value
                agrees = detected.agrees_with(sources.config.value(detected.setting))
                advice = "matches" if agrees else f"does not match: set it to {value}"
                yield TemporalityEntry(account.account, detected.event, value, detected.evidence, advice)
