"""An account's subscription: a bundle in the current session, replaced when the API refuses it."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from pf_exporter.config import Account
from pf_exporter.errors import BundleGone, ExporterError, Forbidden, Rejected, SubscriptionGone, Unauthorized
from pf_exporter.packetfabric import Client, Session, SessionManager, StreamingResponse
from pf_exporter.schema import canonical_id
from pf_exporter.stream.held_stream import HeldStream

UNSTREAMED_LIFETIME = 240.0
"""Seconds for which a bundle that was never streamed is used; the API forgets it after 300."""


@dataclass
class _Bundle:
    """A subscription bundle and the session it is bound to."""

    session: Session
    uuid: str
    made_at: float
    """By the monotonic clock."""
    was_streamed: bool = False
    circuits: frozenset[str] | None = None
    """Canonical IDs of the circuits that existed when it was made, once they are known."""
    stale: bool = False
    """Whether there are new circuits since; the API does not document whether they join a bundle."""


@dataclass(frozen=True)
class OpenStream:
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

    ``existing`` is the UUID of a existing bundle to use instead of new ones.
    ``subscribed`` is called with the UUID of each new bundle, and of an existing one at its first use.
    """

    def __init__(
        self,
        account: Account,
        client: Client,
        session_manager: SessionManager,
        *,
        subscribed: Callable[[str], None] = lambda bundle: None,
        existing: str | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._account = account
        self._client = client
        self._session_manager = session_manager
        self._subscribed = subscribed
        self._existing = existing
        self._clock = clock
        self._bundle: _Bundle | None = None
        self._circuits: frozenset[str] | None = None
        self.single_connection = False
        """Whether the API allows only one stream of a bundle, as far as seen; it does not document this."""
        self._takes_all_circuits = any(
            stream.type != "customer" and not stream.selectors for stream in account.streams
        )

    @property
    def stale(self) -> bool:
        """Whether the current bundle may lack circuits, so that a new one is due. Any thread may read."""
        bundle = self._bundle  # read once: the thread that opens the next stream may replace it
        return bundle is not None and bundle.stale

    def update_inventory(self, circuits: frozenset[str]) -> None:
        """Take note of the IDs of all circuits that the account has now. Any thread may call."""
        bundle, current = self._bundle, frozenset(map(canonical_id, circuits))
        self._circuits = current
        if bundle is not None and self._takes_all_circuits:
            if bundle.circuits is None:
                bundle.circuits = current
            bundle.stale = bundle.stale or not current <= bundle.circuits

    def _usable(self, session: Session) -> _Bundle | None:
        bundle = self._bundle
        if bundle is None or bundle.session is not session:
            return None
        is_young = self._clock() - bundle.made_at < UNSTREAMED_LIFETIME
        return bundle if bundle.was_streamed or is_young else None

    def _subscribe(self, session: Session) -> _Bundle:
        made_at = self._clock()
        # Read before the bundle is made: a circuit that is first seen later may not be part of it.
        circuits = self._circuits
        uuid = self._existing or self._client.subscribe(session, self._account.streams)
        bundle = self._bundle = _Bundle(session, uuid, made_at, circuits=circuits)
        self._subscribed(uuid)
        return bundle

    def open(self) -> OpenStream:
        """Open a stream; log in and subscribe first if needed.

        Raises an :class:`ApiError` or :class:`NotAnEventStream`. A session or bundle that the API refused is
        dropped, so that the next call makes a new one.
        """
        session = self._session_manager.get()
        try:
            bundle = self._usable(session) or self._subscribe(session)
            response = self._client.open(session, bundle.uuid)
        except ExporterError as exc:
            self._drop_refused(session, exc)
            if isinstance(exc, SubscriptionGone) and self._existing is not None:
                raise BundleGone(f"{exc}; make another, and stream it within five minutes") from None
            raise
        self._session_manager.verified(session)
        bundle.was_streamed = True
        return OpenStream(session, response, self._clock())

    def _drop_refused(self, session: Session, error: ExporterError) -> None:
        is_forbidden = isinstance(error, Forbidden)
        if is_forbidden:
            self._session_manager.verified(session)
        if isinstance(error, Unauthorized):
            self._session_manager.discard(session, refused=not is_forbidden)
        if is_forbidden:
            self._session_manager.log_out(session)  # it is valid, but without permission
        if isinstance(error, Unauthorized | SubscriptionGone | Rejected):
            self._bundle = None

    def open_second(self) -> OpenStream:
        """Open a stream beside the current one: of the same bundle, or of a new one if that is refused."""
        if self.single_connection or self.stale:
            self._bundle = None
        is_reused = self._bundle is not None and self._usable(self._session_manager.get()) is not None
        try:
            return self.open()
        except (Rejected, SubscriptionGone):
            if not is_reused:
                raise
        stream = self.open()
        self.single_connection = True
        return stream
