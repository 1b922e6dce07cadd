"""The state of an account: what is wrong, what to do, its credential, stream and events."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Protocol

from pf_exporter.config import Account, SecretFile
from pf_exporter.formatting import NO_VALUE, duration, si
from pf_exporter.inventory import Snapshot
from pf_exporter.packetfabric import CredentialState
from pf_exporter.reason import Reason
from pf_exporter.schema import Maintenance, PolledResource
from pf_exporter.state import AccountStats, ErrorLog, ErrorRecord, StreamState
from pf_exporter.web.moments import moment
from pf_exporter.web.page_values import Fact, Moment, Severity
from pf_exporter.web.status_context import AccountStatus, ErrorEntry, EventEntry, Problem


class Inventory(Protocol):
    """What is read of :class:`~pf_exporter.inventory.InventoryPoller`."""

    @property
    def snapshot(self) -> Snapshot:
        """The circuits of the last successful poll of each list."""

    @property
    def resources(self) -> Sequence[PolledResource]:
        """What is polled beside the lists of circuits."""

    def failing(self) -> Sequence[str]:
        """Return the names of those whose last request failed or was refused."""

    def maintenances(self) -> Sequence[Maintenance]:
        """Return the maintenances that are announced or in progress."""

    @property
    def errors(self) -> ErrorLog:
        """The errors of failed polls."""

    @property
    def retry_at(self) -> float | None:
        """UNIX seconds of the next poll if the last one has failed, else None."""


def account_status(
    account: Account, stats: AccountStats, inventory: Inventory | None, now: float
) -> AccountStatus:
    """The account as of now, in UNIX seconds."""
    state, severity = _state(stats)
    problems = list(_problems(stats, inventory, now))
    if problems and severity is Severity.GOOD:
        severity = Severity.WARNING
    return AccountStatus(
        name=account.name,
        state=state,
        severity=severity,
        since=moment(stats.history.state_since, now),
        problems=problems,
        facts=[
            *_credential(account, stats, now),
            *_stream(stats, now),
            _inventory(inventory, now),
            *_polled(inventory),
        ],
        errors=_errors(stats, inventory, problems, now),
        events=_events(stats, now),
    )


def _state(stats: AccountStats) -> tuple[str, Severity]:
    if stats.up:
        return "Streaming", Severity.GOOD
    states = {
        StreamState.STREAMING: ("Silent", Severity.BAD),
        StreamState.CONNECTING: ("Connecting", Severity.WARNING),
        StreamState.BACKOFF: ("Waiting to retry", Severity.BAD),
    }
    return states.get(stats.state, ("Stopped", Severity.BAD))


def _entry(part: str, record: ErrorRecord, now: float) -> ErrorEntry:
    return ErrorEntry(
        part,
        record.message,
        str(record.reason),
        record.reason.remedy,
        moment(record.first_at, now),
        moment(record.last_at, now),
        record.count,
    )


def _next_attempt(at: float | None, now: float) -> Moment | None:
    return None if at is None else moment(max(at, now), now)


def _problems(stats: AccountStats, inventory: Inventory | None, now: float) -> Iterator[Problem]:
    """What prevents the stream, and what prevents the inventory unless it is the same."""
    records = stats.history.errors.records()
    current = None
    if stats.state is StreamState.STREAMING:
        silence = stats.clock() - stats.last_byte_at
        if not stats.up and silence != float("inf"):
            silent = ErrorRecord(Reason.IDLE, Reason.IDLE.summary, now - silence, now, 1)
            yield Problem(_entry("Stream", silent, now), None)
    elif records:
        current = records[-1].reason
        yield Problem(_entry("Stream", records[-1], now), _next_attempt(stats.retry_at, now))
    if inventory is not None and inventory.retry_at is not None:
        latest = inventory.errors.records()[-1]
        if latest.reason is not current:
            yield Problem(_entry("Inventory", latest, now), _next_attempt(inventory.retry_at, now))


def _errors(
    stats: AccountStats, inventory: Inventory | None, problems: list[Problem], now: float
) -> list[ErrorEntry]:
    """The errors that are not current problems, the latest first."""
    records = [("Stream", record) for record in stats.history.errors.records()]
    if inventory is not None:
        records += [("Inventory", record) for record in inventory.errors.records()]
    records.sort(key=lambda item: item[1].last_at, reverse=True)
    current = {problem.error.message for problem in problems}
    return [_entry(part, record, now) for part, record in records if record.message not in current]


def _credential(account: Account, stats: AccountStats, now: float) -> Iterator[Fact]:
    session = stats.session
    yield Fact("API", account.api_url)
    kind = "API key" if account.token is not None else "User and password"
    severities = {CredentialState.ACCEPTED: Severity.GOOD, CredentialState.NOT_VERIFIED: Severity.WARNING}
    secret = account.password if account.token is None else account.token
    notes = [f"accepted {_ago(session.accepted_at, now)}"] if session.accepted_at is not None else []
    if isinstance(secret, SecretFile):
        notes.append(f"from {secret.path}")
    state = session.credential
    yield Fact("Credential", f"{kind}: {state.value}", ", ".join(notes), severities.get(state, Severity.BAD))
    if account.token is None:
        expires_at = session.expires_at
        login_at = session.login_at
        yield Fact(
            "Session",
            "none" if expires_at is None else f"expires in {duration(expires_at - now)}",
            "no login yet" if login_at is None else f"last login {_ago(login_at, now)}",
        )
    next_login_at = session.next_login_at
    if next_login_at is not None:
        what = "Next login" if account.token is None else "Next use of the key"
        at = moment(max(next_login_at, now), now)
        yield Fact(what, f"in {at.age}", at.text)


def _ago(at: float, now: float) -> str:
    return f"{duration(now - at)} ago"


def _stream(stats: AccountStats, now: float) -> Iterator[Fact]:
    # The start of the UUID tells subscriptions apart; the whole of it would give access to the stream.
    uuid, subscribed_at = stats.subscription_uuid, stats.subscribed_at
    made = "" if subscribed_at is None else f"made {_ago(subscribed_at, now)}"
    yield Fact("Subscription", f"{uuid[:8]}…" if uuid else "none", made)
    opened_at, rotate_at = stats.stream_opened_at, stats.rotate_at
    rotation = "" if rotate_at is None else f"rotation in {duration(max(rotate_at - now, 0.0))}"
    yield Fact("Stream", "none" if opened_at is None else f"open for {duration(now - opened_at)}", rotation)
    silence = stats.clock() - stats.last_byte_at
    last_byte = "" if silence == float("inf") else f"last byte {duration(silence)} ago"
    yield Fact("Received", si(stats.bytes, "B"), last_byte)
    last_usable = dict(stats.last_event)  # A copy: the reader's thread adds to it.
    if last_usable:
        yield Fact("Last event", *_past(moment(max(last_usable.values()), now)))
    else:
        yield Fact("Last event", "none yet")
    lag = stats.recent_rates().mean_lag
    yield Fact("Event lag", NO_VALUE if lag is None else f"{lag:.1f} s", "mean, last minute")
    opened = f"{stats.connects:,} {'stream' if stats.connects == 1 else 'streams'} opened"
    rotations = f"{stats.disconnects[Reason.ROTATED]:,} by rotation"
    yield Fact("Without a stream", f"{duration(stats.gap_seconds)} in total", f"{opened}, {rotations}")


def _past(at: Moment) -> tuple[str, str]:
    return f"{at.age} ago", at.text


def _inventory(inventory: Inventory | None, now: float) -> Fact:
    snapshot = Snapshot() if inventory is None else inventory.snapshot
    if snapshot.at is not None:
        return Fact("Inventory", *_past(moment(snapshot.at, now)))
    return Fact("Inventory", "not complete yet" if snapshot.circuits else "not read yet")


def _polled(inventory: Inventory | None) -> Iterator[Fact]:
    """What is polled beside the lists; nothing if that is nothing."""
    if inventory is not None and (count := len(inventory.resources)):
        failing = inventory.failing()
        if not inventory.snapshot.circuits and not failing:
            yield Fact("Other resources", "not read yet")
            return
        note = f"not read: {', '.join(failing)}" if failing else ""
        severity = Severity.WARNING if failing else None
        yield Fact("Other resources", f"{count - len(failing)} of {count} polled", note, severity)


def _events(stats: AccountStats, now: float) -> list[EventEntry]:
    rates = stats.recent_rates().events
    last_usable = dict(stats.last_event)
    return [
        EventEntry(
            name,
            f"{rates.get(name, 0.0):.3g}",
            f"{count:,}",
            f"{duration(now - last_usable[name])} ago" if name in last_usable else NO_VALUE,
        )
        for name, count in dict(stats.events).items()
        if count
    ]
