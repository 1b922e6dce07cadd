"""An account's session: one login at a time, on its own slow schedule, renewed before it expires."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable

from pf_exporter.errors import (
    ApiError,
    ConfigError,
    CredentialsUnreadable,
    ExporterError,
    RateLimited,
    Unauthorized,
    Unavailable,
)
from pf_exporter.log import Logger
from pf_exporter.packetfabric.backoff import Backoff
from pf_exporter.packetfabric.client import Client, Session
from pf_exporter.packetfabric.failure_log import FailureLog
from pf_exporter.packetfabric.session_stats import CredentialState, SessionStats

RENEW_AFTER = 0.8
"""The share of a session's life after which it is renewed."""
LOGIN_SCHEDULE = Backoff(30.0, 600.0)
"""Seconds between logins: slow enough that no account gets locked."""
UNANSWERED_DELAY = 1.0
"""Seconds after a login that the server could not answer; callers of :meth:`get` have their own backoff."""

log = Logger(__name__)


class SessionManager:
    """Gives all users of an account the same session. Any thread may call."""

    def __init__(
        self,
        client: Client,
        account: str,
        *,
        schedule: Backoff = LOGIN_SCHEDULE,
        clock: Callable[[], float] = time.monotonic,
        wall: Callable[[], float] = time.time,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self._client = client
        self._account = account
        self._schedule = schedule
        self._clock = clock
        self._wall = wall
        self._jitter = jitter
        self._lock = threading.Lock()
        self._session: Session | None = None
        self._verified: Session | None = None
        """The session that the API accepted last."""
        self._credited: Session | None = None
        """The session for which the schedule started again."""
        self._replaced: list[Session] = []
        self._renew_at = 0.0
        self._not_before = float("-inf")
        self._refusal: ApiError = Unauthorized("login: not tried yet")
        self.stats = SessionStats()
        self.failures = FailureLog(account, self.stats, clock=clock)

    @property
    def renew_at(self) -> float:
        """The monotonic time at which the session is to be replaced by a new one."""
        return self._renew_at

    @property
    def retry_delay(self) -> float:
        """Seconds until :meth:`get` may log in again; 0 while there is a session."""
        return 0.0 if self._session is not None else max(self._not_before - self._clock(), 0.0)

    def get(self) -> Session:
        """Return the session; log in first if there is none, or if it is due for renewal.

        Raises the :class:`ApiError` of the login, with the seconds to wait as ``retry_after``.
        """
        with self._lock:
            now = self._clock()
            if self._session is not None and now < self._renew_at:
                return self._session
            if now < self._not_before:
                if self._session is None:
                    # The same text, so that the repetition is recognized as the same error.
                    raise type(self._refusal)(str(self._refusal), retry_after=self._not_before - now)
                self._renew_at = self._not_before
                return self._session
            if now - self._not_before > self._schedule.maximum:
                self._schedule = self._schedule.reset()
            if self._session is not None:
                self._credit(self._session)
            try:
                session = self._login()
            except ApiError as exc:
                if self._session is None:
                    raise
                # The old session still has a fifth of its life.
                self._renew_at = max(self._not_before, self._clock() + self._schedule.minimum)
                self.failures.failed("session not renewed", exc, self._renew_at - self._clock())
                return self._session
            # A login may return the session that exists already: logging that out would end the new one, too.
            if self._session is not None and self._session.token != session.token:
                self._replaced.append(self._session)
            self._session = session
            return session

    def _login(self) -> Session:
        self.stats.login_attempts += 1
        delay = self._schedule.delay(self._jitter())
        try:
            try:
                session = self._client.login()
            except ConfigError as exc:
                raise CredentialsUnreadable(str(exc)) from None
        except ApiError as exc:
            self._refused(exc, delay)
            raise
        self._schedule = self._schedule.next()
        now = self._clock()
        self._not_before = now + delay
        what = "session" if session.from_login else "API key"
        self._refusal = Unauthorized(f"login: the {what} was refused right after its first use")
        lifetime = (session.expires_at - self._wall()) if session.expires_at is not None else 0.0
        # An end in the past means that one of the clocks is wrong: a 401 will tell when the session is over.
        self._renew_at = now + lifetime * RENEW_AFTER if lifetime > 0 else float("inf")
        self.stats.expires_at = session.expires_at
        self.stats.login_at = self._wall()
        self.stats.next_login_at = None
        if session.from_login:
            self._accept()
            log.info("logged in", account=self._account)
        elif self.stats.credential is not CredentialState.REFUSED:
            log.info("using an API key (not yet verified)", account=self._account)
        return session

    def _refused(self, error: ApiError, delay: float) -> None:
        """Count a failed login and schedule the next one; ``retry_after`` of the error tells when."""
        self.stats.login_failures[error.reason] += 1
        # A server that could not answer has not refused the password: that retry need not be slow.
        if isinstance(error, Unavailable) and not isinstance(error, RateLimited):
            delay = min(delay, UNANSWERED_DELAY)
        else:
            self._schedule = self._schedule.next()
        error.retry_after = max(delay, error.retry_after or 0.0)
        self._not_before = self._clock() + error.retry_after
        self.stats.next_login_at = self._wall() + error.retry_after
        if isinstance(error, CredentialsUnreadable):
            self.stats.credential = CredentialState.UNREADABLE
        elif isinstance(error, Unauthorized):
            self.stats.credential = CredentialState.REFUSED
        # A copy: the traceback of the original would keep the credentials.
        self._refusal = type(error)(str(error))

    def _credit(self, session: Session) -> None:
        """Start the schedule again, once, after a session that was of use: the next login is no retry."""
        if self._verified is session and self._credited is not session:
            self._credited = session
            self._schedule = self._schedule.reset()

    def _accept(self) -> None:
        self.failures.resolved()
        self.stats.credential = CredentialState.ACCEPTED
        self.stats.accepted_at = self._wall()

    def verified(self, session: Session) -> None:
        """Record that the API accepted a request of the current session."""
        with self._lock:
            if self._session is not session or self._verified is session:
                return
            self._verified = session
            if not session.from_login:
                self._accept()
                log.info("API key accepted", account=self._account)

    def discard(self, session: Session, *, refused: bool = True) -> None:
        """Never return this session again; ``refused`` is whether the API no longer accepts it."""
        with self._lock:
            if self._session is session:
                self._session = None
                self.stats.expires_at = None
                self.stats.next_login_at = self._wall() + max(self._not_before - self._clock(), 0.0)
                if refused:
                    self._credit(session)
                if refused and not (session.from_login and self._verified is session):
                    self.stats.credential = CredentialState.REFUSED

    def logout_replaced(self, session: Session) -> None:
        """Log out the sessions that this one has replaced: no stream uses them any more."""
        with self._lock:
            replaced = [old for old in self._replaced if old is not session]
            self._replaced.clear()
        for old in replaced:
            self.log_out(old)

    def log_out(self, session: Session) -> None:
        """End a session that is no longer used; a failure is only logged, since nothing is lost."""
        try:
            self._client.logout(session)
        except ExporterError as exc:
            log.debug("not logged out", account=self._account, error=exc)

    def close(self) -> None:
        """Log out of all sessions."""
        with self._lock:
            sessions = [*self._replaced, *([] if self._session is None else [self._session])]
            self._session = None
            self._replaced.clear()
        for session in sessions:
            self.log_out(session)
