"""The account's session: one login at a time, on a slow schedule of its own, renewed before it ends."""

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
from pf_exporter.state import AccountStats

LIFE_USED = 0.8
"""The share of a session's life after which it is renewed."""
SCHEDULE = Backoff(30.0, 600.0)
"""Between logins, in seconds: so slow that no account is locked for it."""
UNANSWERED = 1.0
"""Seconds after a login that could not be answered: whoever waits for the session has a schedule too."""

log = Logger(__name__)


class SessionManager:
    """Gives everybody who works for an account the same session. Any thread may call."""

    def __init__(
        self,
        client: Client,
        stats: AccountStats,
        *,
        schedule: Backoff = SCHEDULE,
        clock: Callable[[], float] = time.monotonic,
        wall: Callable[[], float] = time.time,
        chance: Callable[[], float] = random.random,
    ) -> None:
        self._client = client
        self._stats = stats
        self._schedule = schedule
        self._clock = clock
        self._wall = wall
        self._chance = chance
        self._lock = threading.Lock()
        self._session: Session | None = None
        self._replaced: list[Session] = []
        self._renew_at = 0.0
        self._not_before = float("-inf")
        self._refusal: ApiError = Unauthorized("login: not tried yet")

    @property
    def renew_at(self) -> float:
        """The monotonic time at which the session is to be replaced by a new one."""
        return self._renew_at

    @property
    def pause(self) -> float:
        """Seconds until :meth:`get` may try a login again; 0 while there is a session."""
        return 0.0 if self._session is not None else max(self._not_before - self._clock(), 0.0)

    def get(self) -> Session:
        """The session to work with, made or renewed where that is due.

        Raises the :class:`ApiError` of the login, with the seconds to wait in its ``retry_after``.
        """
        with self._lock:
            now = self._clock()
            if self._session is not None and now < self._renew_at:
                return self._session
            if now < self._not_before:
                if self._session is None:
                    said = f"{self._refusal} (not tried again yet)"
                    raise type(self._refusal)(said, retry_after=self._not_before - now)
                self._renew_at = self._not_before
                return self._session
            if now - self._not_before > self._schedule.maximum:
                self._schedule = self._schedule.reset()
            try:
                session = self._login()
            except ApiError as exc:
                if self._session is None:
                    raise
                # Renewal can wait: the old session still has a fifth of its life.
                log.warning("session not renewed", account=self._stats.account, error=exc)
                self._renew_at = max(self._not_before, self._clock() + self._schedule.minimum)
                return self._session
            if self._session is not None:
                self._replaced.append(self._session)
            self._session = session
            return session

    def _login(self) -> Session:
        stats = self._stats
        stats.login_attempts += 1
        pause = self._schedule.delay(self._chance())
        try:
            try:
                session = self._client.login()
            except ConfigError as exc:
                raise CredentialsUnreadable(str(exc)) from None
        except ApiError as exc:
            stats.login_failures[exc.reason] += 1
            # A server that could not answer has not judged the password: that retry need not be slow.
            if isinstance(exc, Unavailable) and not isinstance(exc, RateLimited):
                pause = min(pause, UNANSWERED)
            else:
                self._schedule = self._schedule.next()
            exc.retry_after = max(pause, exc.retry_after or 0.0)
            self._not_before = self._clock() + exc.retry_after
            # A copy: the traceback of the original would keep the credentials.
            self._refusal = type(exc)(str(exc))
            raise
        self._schedule = self._schedule.next()
        now = self._clock()
        self._not_before = now + pause
        self._refusal = Unauthorized("login: the session was refused soon after it began")
        life = (session.expires_at - self._wall()) if session.expires_at is not None else 0.0
        # An end in the past says that one of the clocks is wrong: then a 401 will tell when it is over.
        self._renew_at = now + life * LIFE_USED if life > 0 else float("inf")
        stats.session_expires_at = session.expires_at
        log.info("session begun", account=stats.account, how="login" if session.from_login else "API key")
        return session

    def discard(self, session: Session) -> None:
        """Never give out this session again: the API does not accept it any more."""
        with self._lock:
            if self._session is session:
                self._session = None
                self._stats.session_expires_at = None

    def logout_replaced(self, session: Session) -> None:
        """Log out what this session has replaced: it is the only one that is streamed in now."""
        with self._lock:
            done = [old for old in self._replaced if old is not session]
            self._replaced.clear()
        for old in done:
            self.log_out(old)

    def log_out(self, session: Session) -> None:
        """End a session that is no longer used; nothing is lost if that fails."""
        try:
            self._client.logout(session)
        except ExporterError as exc:
            log.debug("not logged out", account=self._stats.account, error=exc)

    def close(self) -> None:
        """End the session, if there is one."""
        with self._lock:
            session, self._session = self._session, None
            sessions = [*self._replaced, *([session] if session is not None else [])]
            self._replaced.clear()
        for one in sessions:
            self.log_out(one)
