"""What the polls of an account have done: requests, failures and successes by resource."""

from __future__ import annotations

from collections.abc import Iterable

from pf_exporter.errors import ApiError, ListIncomplete, reasons
from pf_exporter.reason import Reason
from pf_exporter.schema import PolledResource, Resource

POLL_REASONS = reasons(ApiError, ListIncomplete)
"""Why a poll of the lists can fail, the login included."""
REQUEST_REASONS = (
    *(Reason.FORBIDDEN, Reason.INCOMPLETE, Reason.RATE_LIMITED),
    *(Reason.REJECTED, Reason.UNAUTHORIZED, Reason.UNAVAILABLE),
)
"""Why a request of a poll can fail."""


class PollStats:
    """Counts by resource. One thread writes, any thread may read."""

    def __init__(self, resources: Iterable[Resource | PolledResource]) -> None:
        names = [resource.name for resource in resources]
        self.requests = dict.fromkeys(names, 0)
        self.failures: dict[tuple[str, str], int] = {
            (name, reason.value): 0 for name in names for reason in REQUEST_REASONS
        }
        """By resource and reason."""
        self.last_success: dict[str, float] = {}
        """UNIX seconds of the last success of each resource that has had one."""

    def failed(self, resource: str, reason: Reason) -> None:
        """Count a failure."""
        key = resource, reason.value
        self.failures[key] = self.failures.get(key, 0) + 1
