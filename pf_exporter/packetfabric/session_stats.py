"""What happened to an account's session, for metrics and the status page."""

from __future__ import annotations

import enum
from dataclasses import dataclass, field

from pf_exporter.errors import ApiError, reasons


class CredentialState(enum.Enum):
    """Whether the API accepts an account's credential, as far as it has been tried."""

    NOT_VERIFIED = "not yet verified"
    ACCEPTED = "accepted"
    REFUSED = "refused"
    UNREADABLE = "unreadable"
    """A file with a secret cannot be read."""


def _login_failures() -> dict[str, int]:
    return dict.fromkeys(reasons(ApiError), 0)


@dataclass
class SessionStats:
    """Counters of one account's session; only its manager writes, any thread may read."""

    login_attempts: int = 0
    """Sessions requested, by login or with an API key."""
    login_failures: dict[str, int] = field(default_factory=_login_failures)
    """Sessions that could not be started, by reason."""
    expires_at: float | None = None
    """UNIX seconds; None without a session, and for sessions that do not expire."""
    credential: CredentialState = CredentialState.NOT_VERIFIED
    accepted_at: float | None = None
    """UNIX seconds of the last successful login, or of the first request that was accepted with the key."""
    login_at: float | None = None
    """UNIX seconds at which the current session, or the last one, was started."""
    next_login_at: float | None = None
    """UNIX seconds before which no login is attempted; None while there is a session."""
