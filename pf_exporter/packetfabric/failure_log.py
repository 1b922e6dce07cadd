"""Logs the failures of an account's threads: a refused credential once, not once for each attempt."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from pf_exporter.errors import ExporterError, Forbidden, LoginIncomplete, Rejected, Unauthorized
from pf_exporter.log import Logger
from pf_exporter.packetfabric.session_stats import CredentialState, SessionStats
from pf_exporter.reason import Reason

REPEAT_AFTER = 3600.0
"""Seconds until a failure that lasts and needs a person is logged again."""

CREDENTIALS = "credentials not accepted"

log = Logger(__name__)


class FailureLog:
    """Logs failures with their cause, remedy and next attempt. Any thread may call it."""

    def __init__(
        self, account: str, stats: SessionStats, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._account = account
        self._stats = stats
        self._clock = clock
        self._lock = threading.Lock()
        self._logged: dict[tuple[Reason, str], float] = {}
        """When each failure that lasts was logged last."""
        self._explained: dict[str, tuple[Reason, float]] = {}
        """The reason whose remedy was logged last, by message, and when."""

    def failed(self, message: str, error: ExporterError, retry_in: float) -> None:
        """Log a failure.

        One that only a person can resolve is an error. If it is about the credential, which all threads of
        the account share, it is logged once for all of them and then once an hour; a missing permission once
        for each ``message``. The remedy is logged when the reason is new, and then once an hour.
        """
        is_forbidden = isinstance(error, Forbidden)
        credential = self._stats.credential
        is_of_credential = isinstance(error, Unauthorized) and (
            credential in (CredentialState.REFUSED, CredentialState.UNREADABLE)
            or (credential is CredentialState.NOT_VERIFIED and not is_forbidden)
        )
        if is_forbidden or is_of_credential:
            # A refused login is about the credential, also with HTTP 403.
            key = (error.reason, "" if is_of_credential else message)
            if not self._is_due(key):
                return
            message = message if key[1] else CREDENTIALS
        needs_a_person = is_forbidden or is_of_credential or isinstance(error, LoginIncomplete | Rejected)
        (log.error if needs_a_person else log.warning)(
            message,
            account=self._account,
            reason=error.reason,
            error=error,
            **({"remedy": error.reason.remedy} if self._needs_remedy(message, error.reason) else {}),
            retry_in=round(retry_in, 1),
        )

    def _needs_remedy(self, message: str, reason: Reason) -> bool:
        now = self._clock()
        with self._lock:
            last, at = self._explained.get(message, (None, 0.0))
            if last is reason and now - at < REPEAT_AFTER:
                return False
            self._explained[message] = reason, now
            return True

    def _is_due(self, key: tuple[Reason, str]) -> bool:
        now = self._clock()
        with self._lock:
            if now - self._logged.get(key, float("-inf")) < REPEAT_AFTER:
                return False
            self._logged[key] = now
            return True

    def resolved(self, message: str = "") -> None:
        """Log the next failure again: that of the credential, or the missing permission of a ``message``."""
        with self._lock:
            self._explained.pop(message or CREDENTIALS, None)
            for key in [key for key in self._logged if key[1] == message]:
                del self._logged[key]
