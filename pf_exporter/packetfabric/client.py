"""PacketFabric's API as one account uses it: log in, subscribe, open the stream, read lists."""

from __future__ import annotations

import copy
import functools
import platform
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple, ParamSpec, TypeVar

from pf_exporter import __version__
from pf_exporter.config import Account, Secret, StreamFilter, find_proxy
from pf_exporter.errors import (
    ExporterError,
    LoginIncomplete,
    NotAnEventStream,
    Rejected,
    SubscriptionGone,
)
from pf_exporter.packetfabric.json_body import decode
from pf_exporter.packetfabric.paging import read_pages
from pf_exporter.packetfabric.request import Headers, Request
from pf_exporter.packetfabric.status_errors import error_from_status
from pf_exporter.packetfabric.transport import Transport
from pf_exporter.schema import MAX_TIMESTAMP, epoch

if TYPE_CHECKING:
    from pf_exporter.packetfabric.response import StreamingResponse

LOGOUT_DEADLINE = 1.0
"""Seconds for a logout: the process is about to end."""

P = ParamSpec("P")
T = TypeVar("T")

USER_AGENT = f"pf_exporter/{__version__} python/{platform.python_version()}"
API_KEY_HINT = "create an API key in the portal (Settings, API Keys) and use it as PF_TOKEN or token_file"


class Session(NamedTuple):
    """What requests are authenticated with; a subscription can be streamed only in its session."""

    token: Secret
    expires_at: float | None
    """UNIX seconds, or None if the API does not tell (an API key)."""
    from_login: bool
    """Whether the token comes from a login and may be logged out. An API key is never logged out."""


def _session_of_login(body: bytes, subject: str) -> Session:
    """Read the response to a login."""
    fields = decode(body, subject)
    if not isinstance(fields, dict):
        raise Rejected(f"{subject}: the response is not a session")
    token = fields.get("token")
    if fields.get("mfa_required") or (not token and b"mfa" in body.lower()):
        raise LoginIncomplete(f"{subject}: this user logs in with a second factor; {API_KEY_HINT}")
    if fields.get("should_sign_eula"):
        raise LoginIncomplete(
            f"{subject}: this user has to accept an agreement (EULA) in the portal first; or {API_KEY_HINT}"
        )
    if not isinstance(token, str) or not re.fullmatch(r"[!-~]{1,4096}", token):
        raise Rejected(f"{subject}: the response holds no usable token")
    expires = fields.get("time_expires")
    is_timestamp = isinstance(expires, str) and len(expires) <= MAX_TIMESTAMP
    return Session(Secret(token), epoch(expires) if is_timestamp else None, from_login=True)


def _without_traceback(method: Callable[P, T]) -> Callable[P, T]:
    """Raise errors without the frames they came through, whose variables hold credentials."""

    @functools.wraps(method)
    def wrapper(*args: P.args, **options: P.kwargs) -> T:
        try:
            return method(*args, **options)
        except ExporterError as exc:
            error = copy.copy(exc)
        # Raised outside of the except block, so that it is not chained to the original.
        raise error

    return wrapper


def _bearer(session: Session) -> Headers:
    # As bytes: requests encodes str as latin-1, which not every secret fits.
    return {"Authorization": b"Bearer " + session.token.reveal().encode()}


class Client:
    """The API as one account uses it. Any thread may call its methods."""

    def __init__(self, account: Account, *, idle_timeout: float) -> None:
        self._account = account
        self._idle_timeout = idle_timeout
        headers = {"User-Agent": USER_AGENT, "Accept": "application/json"}
        if account.on_behalf:
            headers["On-Behalf"] = account.on_behalf
        self._transport = Transport(
            account.api_url, headers, ca_file=account.ca_file, find_proxy=partial(find_proxy, account)
        )

    def _subject(self, operation: str) -> str:
        """What errors begin with: the operation, and the server as HOST:PORT."""
        return f"{operation}: {self._transport.server}"

    def abort(self) -> None:
        """Abort all requests, and refuse new ones except :meth:`logout`."""
        self._transport.abort()

    @_without_traceback
    def _call(
        self,
        operation: str,
        method: str,
        path: str,
        session: Session,
        *,
        body: Mapping[str, Any] | None = None,
        query: Mapping[str, str] | None = None,
        expect: int = 200,
    ) -> Any:
        """Send a request, and return the JSON value of its response."""
        response = self._transport.call(Request(operation, method, path, _bearer(session), body, query))
        if response.status != expect:
            raise error_from_status(*response, self._subject(operation), [session.token.reveal()])
        return decode(response.body, self._subject(operation))

    @_without_traceback
    def login(self) -> Session:
        """Log in with the account's user and password, or wrap its API key in a session.

        Files with secrets are read each time, so that they can be rotated. Raises :class:`LoginIncomplete`
        if a person has to take a second step, another :class:`ApiError`, or :class:`ConfigError` if a secret
        cannot be read.
        """
        account = self._account
        if account.token is not None:
            return Session(account.token.read(), None, from_login=False)
        # The configuration guarantees that there is one or the other.
        assert account.login is not None
        assert account.password is not None
        credentials = {"login": account.login.read().reveal(), "password": account.password.read().reveal()}
        response = self._transport.call(Request("login", "POST", "/v2/auth/login", body=credentials))
        if response.status != 200:
            raise error_from_status(*response, self._subject("login"), credentials.values())
        return _session_of_login(response.body, self._subject("login"))

    @_without_traceback
    def logout(self, session: Session) -> None:
        """End a session that comes from a login; its subscriptions end with it."""
        if session.from_login:
            self._transport.call(
                Request(
                    "logout",
                    "GET",
                    "/v2/auth/logout",
                    _bearer(session),
                    deadline=LOGOUT_DEADLINE,
                    allow_after_abort=True,
                )
            )

    def subscribe(self, session: Session, streams: Sequence[StreamFilter]) -> str:
        """Make a subscription, and return its UUID.

        It has to be streamed within five minutes, and in this session.
        """
        operation = "subscription"
        body = {"streams": [stream.request() for stream in streams]}
        fields = self._call(operation, "POST", "/v2/events", session, body=body, expect=201)
        subscription = fields.get("subscription_uuid") if isinstance(fields, dict) else None
        # It becomes part of a URL that the token is sent to.
        if not isinstance(subscription, str) or not re.fullmatch(r"[0-9A-Za-z-]{1,64}", subscription):
            raise Rejected(f"{self._subject(operation)}: the response holds no usable subscription_uuid")
        return subscription

    @_without_traceback
    def open(self, session: Session, subscription: str) -> StreamingResponse:
        """Open the stream of a subscription, and check status, content type and encoding."""
        headers = {
            "Accept": "text/event-stream",
            "Accept-Encoding": "identity",
            "Cache-Control": "no-cache",
            **_bearer(session),
        }
        path = f"/v2/events/{subscription}"
        stream = self._transport.open(
            Request("stream", "GET", path, headers, read_timeout=self._idle_timeout)
        )
        try:
            self._check(stream, session)
        except BaseException:
            stream.close()
            raise
        return stream

    def _check(self, stream: StreamingResponse, session: Session) -> None:
        status, subject = stream.status, self._subject("stream")
        if status in (404, 410):
            raise SubscriptionGone(f"{subject}: HTTP {status}; the subscription does not exist any more")
        if status >= 300:
            body = stream.error_body()
            raise error_from_status(status, stream.headers, body, subject, [session.token.reveal()])
        content_type = stream.headers.get("Content-Type", "")
        if status != 200 or content_type.partition(";")[0].strip().lower() != "text/event-stream":
            raise NotAnEventStream(
                f"{subject}: HTTP {status} with content type {content_type[:80]!r} is not an event stream"
            )
        encoding = stream.headers.get("Content-Encoding", "identity")
        if encoding.strip().lower() != "identity":
            raise NotAnEventStream(
                f"{subject}: the server compressed the stream ({encoding[:20]!r}) although it was told not to"
            )

    def get(self, session: Session, operation: str, path: str, query: Mapping[str, str]) -> Any:
        """Return the JSON value at a path; ``operation`` starts the message of every error."""
        return self._call(operation, "GET", path, session, query=query)

    def pages(
        self,
        session: Session,
        path: str,
        *,
        key: str,
        size: int = 500,
        query: Mapping[str, str] = MappingProxyType({}),
        before_page: Callable[[], None] = lambda: None,
    ) -> Iterator[list[Any]]:
        """Yield the items of a list, page by page; see :func:`read_pages`."""
        operation = f"list of {path.rpartition('/')[2]}"

        def fetch(*, offset: int, size: int) -> Any:
            before_page()
            paging = {"page_size": str(size), "offset": str(offset)}
            return self.get(session, operation, path, {**query, **paging})

        return read_pages(fetch, self._subject(operation), size, key)
