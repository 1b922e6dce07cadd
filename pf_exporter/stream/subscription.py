"""An account's subscription: registered in the current session, replaced when the API refuses it."""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from pf_exporter.config import Account
from pf_exporter.errors import (
    ExistingSubscriptionGone,
    ExporterError,
    Forbidden,
    Rejected,
    SubscriptionGone,
    Unauthorized,
)
from pf_exporter.packetfabric import Client, Session, SessionManager
from pf_exporter.schema import canonical_id
from pf_exporter.stream.held_stream import HeldStream

if TYPE_CHECKING:  # Imported with the first request.
    from pf_exporter.packetfabric import StreamingResponse

UNSTREAMED_LIFETIME = 240.0
"""Seconds for which a subscription that was never streamed is used; the API forgets it after 300."""


@dataclass
class _Registration:
    """A subscription at the API and the session it is bound to."""

    session: Session
    uuid: str
    made_at: float
    """By the monotonic clock."""
    was_streamed: bool = False
    circuits: frozenset[str] | None = None
    """Canonical IDs of the circuits that existed when it was made, once they are known."""
    stale: bool = False
    """Whether there are new circuits since; the API does not document whether they join a subscription."""


class OpenStream(NamedTuple):
    """An open stream and its session."""

    session: Session
    response: StreamingResponse
    opened_at: float
    """By the monotonic clock."""
    held: HeldStream | None = None
    """The start of it, if another thread reads it ahead."""

    def chunks(self) -> Iterator[bytes]:
        """Yield its bytes as they arrive. Always ends with a :class:`StreamError`."""
        chunks = self.response.chunks()
        return chunks if self.held is None else itertools.chain(self.held.take_over(), chunks)

    def close(self) -> None:
        """Free everything; only the thread that reads may call this."""
        if self.held is not None:
            self.response.end_reading()
            self.held.join()
        self.response.close()


class Subscription:
    """Opens the streams of one account; for one thread at a time, except where noted.

    ``existing`` is the UUID of an existing subscription to use instead of new ones.
    ``on_subscribe`` is called with the UUID of each new one, and of an existing one at its first use.
    """

    def __init__(
        self,
        account: Account,
        client: Client,
        session_manager: SessionManager,
        *,
        on_subscribe: Callable[[str], None] = lambda uuid: None,
        existing: str | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._account = account
        self._client = client
        self._session_manager = session_manager
        self._on_subscribe = on_subscribe
        self._existing = existing
        self._clock = clock
        self._lock = threading.Lock()
        """Held to compare circuits with those of a new registration, so that no update is missed."""
        self._registration: _Registration | None = None
        self._circuits: frozenset[str] | None = None
        self.single_connection = False
        """Whether the API allows only one stream of a subscription, as far as seen: this is undocumented."""
        self._takes_all_circuits = any(
            stream.type != "customer" and not stream.selectors for stream in account.streams
        )

    @property
    def stale(self) -> bool:
        """Whether the current subscription may lack circuits and a new one is due. Any thread may read."""
        registration = self._registration  # read once: the thread that opens the next stream may replace it
        return registration is not None and registration.stale

    def update_inventory(self, circuits: frozenset[str]) -> None:
        """Record the IDs of all circuits that the account has now. Any thread may call."""
        current = frozenset(map(canonical_id, circuits))
        with self._lock:
            self._circuits, registration = current, self._registration
            if registration is not None and self._takes_all_circuits:
                if registration.circuits is None:
                    registration.circuits = current
                registration.stale = registration.stale or not current <= registration.circuits

    def _usable(self, session: Session) -> _Registration | None:
        registration = self._registration
        if registration is None or registration.session is not session:
            return None
        is_young = self._clock() - registration.made_at < UNSTREAMED_LIFETIME
        return registration if registration.was_streamed or is_young else None

    def _subscribe(self, session: Session) -> _Registration:
        made_at = self._clock()
        # Read before the subscription is made: a circuit that is first seen later may not be part of it.
        circuits = self._circuits
        uuid = self._existing or self._client.subscribe(session, self._account.streams)
        with self._lock:
            # The first poll can end while the subscription is made.
            circuits = self._circuits if circuits is None else circuits
            registration = self._registration = _Registration(session, uuid, made_at, circuits=circuits)
        self._on_subscribe(uuid)
        return registration

    def open(self, *, in_use: Session | None = None) -> OpenStream:
        """Open a stream; log in and subscribe first if needed.

        Raises an :class:`ApiError` or :class:`NotAnEventStream`. A session or subscription that was refused
        is dropped, so that the next call makes a new one; the session ``in_use`` by another stream only if it
        is no longer accepted.
        """
        session = self._session_manager.get()
        try:
            registration = self._usable(session) or self._subscribe(session)
            response = self._client.open(session, registration.uuid)
        except ExporterError as exc:
            self._drop_refused(session, exc, is_in_use=session is in_use)
            if isinstance(exc, SubscriptionGone) and self._existing is not None:
                raise ExistingSubscriptionGone(
                    f"{exc}; make another, and stream it within five minutes"
                ) from None
            raise
        self._session_manager.verified(session)
        registration.was_streamed = True
        return OpenStream(session, response, self._clock())

    def _drop_refused(self, session: Session, error: ExporterError, *, is_in_use: bool) -> None:
        is_forbidden = isinstance(error, Forbidden)
        if is_forbidden:
            self._session_manager.verified(session)
        if isinstance(error, Unauthorized) and not (is_forbidden and is_in_use):
            self._session_manager.discard(session, refused=not is_forbidden)
        if is_forbidden and not is_in_use:
            self._session_manager.log_out(session)  # it is valid, but without permission
        if isinstance(error, Unauthorized | SubscriptionGone | Rejected):
            self._registration = None

    def open_second(self, in_use: Session) -> OpenStream:
        """Open a stream beside the current one: of the same subscription, or of a new one if refused.

        ``in_use`` is the session of the current stream.
        """
        if self.single_connection or self.stale:
            self._registration = None
        is_reused = self._registration is not None and self._usable(self._session_manager.get()) is not None
        try:
            return self.open(in_use=in_use)
        except (Forbidden, Rejected, SubscriptionGone):
            if not is_reused:
                raise
        stream = self.open(in_use=in_use)
        self.single_connection = True
        return stream
