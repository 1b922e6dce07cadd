"""What happened to an account's session, for metrics and the status page."""

from __future__ import annotations

from dataclasses import dataclass, field

from pf_exporter.errors import ApiError, reasons


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
