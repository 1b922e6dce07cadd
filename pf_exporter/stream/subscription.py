"""The account's subscription: a bundle in the present session, made anew when the old one is refused."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from pf_exporter.config import Account
from pf_exporter.errors import BundleGone, ExporterError, Forbidden, Rejected, SubscriptionGone, Unauthorized
from pf_exporter.packetfabric import Client, Session, SessionManager, StreamingResponse
from pf_exporter.schema import canonical_id

UNSTREAMED_LIFE = 240.0
"""Seconds for which a bundle that was never streamed is relied on; the API forgets it after 300."""


@dataclass
class Bundle:
    """A subscription bundle and the session it is bound to."""

    session: Session
    uuid: str
    made: float
    streamed: bool = False
    circuits: frozenset[str] | None = None
    """What the account had when it was made, once that is known."""
    stale: bool = False
    """Whether the account has got circuits since; the API does not say whether they join a bundle."""


@dataclass(frozen=True)
class OpenStream:
    """An open stream, and what it is open on."""

    session: Session
    stream: StreamingResponse
    opened: float
    """By the monotonic clock."""
    first: bytes = b""
    """What has been read of it already."""


class Subscription:
    """Opens streams of one account; for one thread at a time.

    ``subscribed`` is called with its UUID when a new bundle has been made, or one that exists is first used:
    ``existing`` is the UUID of a bundle that somebody else made, in place of new ones.
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
        self._bundle: Bundle | None = None
        self._seen: frozenset[str] | None = None
        self.single_connection = False
        """Whether a bundle was seen to bear only one stream at a time; the API does not say."""
        self._takes_all = any(one.type != "customer" and not one.selectors for one in account.streams)

    @property
    def stale(self) -> bool:
        """Whether the present bundle may not know all circuits, so that a new one is due."""
        return self._bundle is not None and self._bundle.stale

    def saw(self, circuits: frozenset[str]) -> None:
        """Take note of the ids of what the account has now; any thread may call."""
        bundle, now = self._bundle, frozenset(map(canonical_id, circuits))
        self._seen = now
        if bundle is not None and self._takes_all:
            if bundle.circuits is None:
                bundle.circuits = now
            bundle.stale = bundle.stale or not now <= bundle.circuits

    def _usable(self, session: Session) -> Bundle | None:
        bundle = self._bundle
        if bundle is None or bundle.session is not session:
            return None
        young = self._clock() - bundle.made < UNSTREAMED_LIFE
        return bundle if bundle.streamed or young else None

    def open(self) -> OpenStream:
        """Open a stream, logging in and subscribing first where that is needed.

        Raises an :class:`ApiError` or :class:`NotAnEventStream`; what it says of the session and the bundle
        is taken note of, so that the next call does what mends it.
        """
        session = self._session_manager.get()
        try:
            bundle = self._usable(session)
            if bundle is None:
                made = self._clock()
                # As of before it was made: what is seen only later may have come too late for it.
                seen = self._seen
                uuid = self._existing or self._client.subscribe(session, self._account.streams)
                bundle = self._bundle = Bundle(session, uuid, made, circuits=seen)
                self._subscribed(bundle.uuid)
            stream = self._client.open(session, bundle.uuid)
        except ExporterError as exc:
            if isinstance(exc, Unauthorized):
                self._session_manager.discard(session)
            if isinstance(exc, Forbidden):
                self._session_manager.log_out(session)  # still good, but of no use
            if isinstance(exc, Unauthorized | SubscriptionGone | Rejected):
                self._bundle = None
            if isinstance(exc, SubscriptionGone) and self._existing is not None:
                raise BundleGone(f"{exc}; make another, and stream it within five minutes") from None
            raise
        bundle.streamed = True
        return OpenStream(session, stream, self._clock())

    def open_second(self) -> OpenStream:
        """Open a stream beside the open one, of the same bundle; of a new one where that is refused."""
        if self.single_connection or self.stale:
            self._bundle = None
        reused = self._bundle is not None and self._usable(self._session_manager.get()) is not None
        try:
            return self.open()
        except (Rejected, SubscriptionGone):
            if not reused:
                raise
        line = self.open()
        self.single_connection = True
        return line
