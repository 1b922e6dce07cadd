"""PacketFabric's API for one account: log in, subscribe, open the stream, page through lists."""

from __future__ import annotations

import copy
import functools
import json
import platform
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ParamSpec, TypeVar

from pf_exporter import __version__
from pf_exporter.config import Account, Secret, StreamFilter
from pf_exporter.errors import (
    ExporterError,
    LoginIncomplete,
    NotAnEventStream,
    Rejected,
    SubscriptionGone,
)
from pf_exporter.packetfabric.connection import Headers
from pf_exporter.packetfabric.response import StreamingResponse
from pf_exporter.packetfabric.status_errors import error_from_status
from pf_exporter.packetfabric.transport import Transport
from pf_exporter.schema import MAX_TIMESTAMP, epoch

LOGOUT_DEADLINE = 1.0
"""Seconds for saying goodbye: the process is about to end."""
PAGES_LIMIT = 1000
"""Pages of one list: against a server whose list never ends."""
ROUND = 10
"""What the largest page of a server is a multiple of."""

P = ParamSpec("P")
T = TypeVar("T")

USER_AGENT = f"pf_exporter/{__version__} python/{platform.python_version()}"
API_KEY_HINT = "create an API key in the portal (Settings, API Keys) and use it as PF_TOKEN or token_file"


@dataclass(frozen=True)
class Session:
    """What requests are made with; a bundle can be streamed only in the session that made it."""

    token: Secret
    expires_at: float | None
    """UNIX seconds, or None where the API does not say (an API key)."""
    from_login: bool
    """Whether we logged in for it, and so may log out. An API key is never logged out."""


def _json(body: bytes, operation: str) -> Any:
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        raise Rejected(f"{operation}: the answer is not JSON; check api_url") from None


def _without_traceback(method: Callable[P, T]) -> Callable[P, T]:
    """Let errors leave without the frames they came through, whose variables hold credentials."""

    @functools.wraps(method)
    def sealed(*args: P.args, **options: P.kwargs) -> T:
        try:
            return method(*args, **options)
        except ExporterError as exc:
            error = copy.copy(exc)
        # Out here, where it is not chained to the one it is a copy of.
        raise error

    return sealed


def _bearer(session: Session) -> Headers:
    # As bytes: requests encodes text as latin-1, which not every secret fits.
    return {"Authorization": b"Bearer " + session.token.reveal().encode()}


class Client:
    """The API as one account sees it. Its methods may be called from any thread."""

    def __init__(self, account: Account, *, idle_timeout: float) -> None:
        self._account = account
        self._idle_timeout = idle_timeout
        headers = {"User-Agent": USER_AGENT, "Accept": "application/json"}
        if account.on_behalf:
            headers["On-Behalf"] = account.on_behalf
        self._transport = Transport(account.api_url, headers, ca_file=account.ca_file)

    def abort(self) -> None:
        """End every request under way and refuse new ones, but for :meth:`logout`."""
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
        """The JSON value that answers a request."""
        answer = self._transport.call(
            operation, method, path, headers=_bearer(session), body=body, query=query
        )
        if answer.status != expect:
            raise error_from_status(*answer, operation, [session.token.reveal()])
        return _json(answer.body, operation)

    @_without_traceback
    def login(self) -> Session:
        """Begin a session with the account's user and password, or take its API key as one.

        Secrets are read anew each time, so that files can be rotated. Raises :class:`LoginIncomplete`
        where a person has to take a second step, and :class:`ApiError`.
        """
        account = self._account
        if account.token is not None:
            return Session(account.token.read(), None, from_login=False)
        # The configuration promises one way or the other.
        assert account.login is not None
        assert account.password is not None
        credentials = {"login": account.login.read().reveal(), "password": account.password.read().reveal()}
        operation = "login"
        answer = self._transport.call(operation, "POST", "/v2/auth/login", headers={}, body=credentials)
        if answer.status != 200:
            raise error_from_status(*answer, operation, credentials.values())
        session = _json(answer.body, operation)
        if not isinstance(session, dict):
            raise Rejected(f"{operation}: the answer is not a session")
        token = session.get("token")
        if session.get("mfa_required") or (not token and b"mfa" in answer.body.lower()):
            raise LoginIncomplete(f"{operation}: this user logs in with a second factor; {API_KEY_HINT}")
        if session.get("should_sign_eula"):
            raise LoginIncomplete(
                f"{operation}: this user has to accept an agreement (EULA) in the portal first;"
                f" or {API_KEY_HINT}"
            )
        if not isinstance(token, str) or not re.fullmatch(r"[!-~]{1,4096}", token):
            raise Rejected(f"{operation}: the answer holds no usable token")
        expires = session.get("time_expires")
        is_time = isinstance(expires, str) and len(expires) <= MAX_TIMESTAMP
        return Session(Secret(token), epoch(expires) if is_time else None, from_login=True)

    @_without_traceback
    def logout(self, session: Session) -> None:
        """End a session that :meth:`login` began by logging in; its bundles end with it."""
        if session.from_login:
            self._transport.call(
                "logout",
                "GET",
                "/v2/auth/logout",
                headers=_bearer(session),
                deadline=LOGOUT_DEADLINE,
                allow_after_abort=True,
            )

    def subscribe(self, session: Session, streams: Sequence[StreamFilter]) -> str:
        """Make a subscription bundle; its UUID. It must be streamed within five minutes, in this session."""
        operation = "subscription"
        body = {"streams": [stream.request() for stream in streams]}
        answer = self._call(operation, "POST", "/v2/events", session, body=body, expect=201)
        bundle = answer.get("subscription_uuid") if isinstance(answer, dict) else None
        # It becomes part of a URL that the token is sent to.
        if not isinstance(bundle, str) or not re.fullmatch(r"[0-9A-Za-z-]{1,64}", bundle):
            raise Rejected(f"{operation}: the answer holds no usable subscription_uuid")
        return bundle

    @_without_traceback
    def open(self, session: Session, bundle: str) -> StreamingResponse:
        """Open the stream of a bundle; status, content type and encoding are right when this returns."""
        operation = "stream"
        wanted = {
            "Accept": "text/event-stream",
            "Accept-Encoding": "identity",
            "Cache-Control": "no-cache",
        }
        stream = self._transport.open(
            operation,
            "GET",
            f"/v2/events/{bundle}",
            headers={**wanted, **_bearer(session)},
            read_timeout=self._idle_timeout,
        )
        try:
            self._check(stream, operation, session)
        except BaseException:
            stream.close()
            raise
        return stream

    @staticmethod
    def _check(stream: StreamingResponse, operation: str, session: Session) -> None:
        if stream.status in (404, 410):
            raise SubscriptionGone(
                f"{operation}: HTTP {stream.status}; the subscription is not, or no longer, known"
            )
        if stream.status >= 300:
            refused_with = stream.head()
            raise error_from_status(
                stream.status, stream.headers, refused_with, operation, [session.token.reveal()]
            )
        kind = stream.headers.get("Content-Type", "")
        if stream.status != 200 or kind.partition(";")[0].strip().lower() != "text/event-stream":
            raise NotAnEventStream(
                f"{operation}: HTTP {stream.status} with content type {kind[:80]!r} is no event stream"
            )
        encoding = stream.headers.get("Content-Encoding", "identity")
        if encoding.strip().lower() != "identity":
            raise NotAnEventStream(
                f"{operation}: the server compresses the stream unasked ({encoding[:20]!r})"
            )

    def get(self, session: Session, operation: str, path: str, query: Mapping[str, str]) -> Any:
        """The JSON value at a path; ``operation`` begins the text of every error."""
        return self._call(operation, "GET", path, session, query=query)

    def pages(self, session: Session, path: str, *, size: int = 500) -> Iterator[list[dict[str, Any]]]:
        """The objects of a list, page by page: until one is short, or repeats what came before.

        The API names no total, and may ignore paging: a page that begins like the one before it is the
        whole list once more. It names no largest page either: such limits are round numbers, and so a short
        page of a round length is not taken for the last.
        """
        operation = f"list of {path.rsplit('/', 1)[-1]}"
        first = None
        offset = 0
        is_over = False  # as far as one can tell
        for _ in range(PAGES_LIMIT):
            query = {"page_size": str(size), "offset": str(offset)}
            try:
                page = self._call(operation, "GET", path, session, query=query)
            except Rejected:
                if is_over:
                    return
                raise
            if not isinstance(page, list):
                raise Rejected(f"{operation}: the answer is not a list")
            if page and page[0] == first:
                return
            yield [item for item in page if isinstance(item, dict)]
            is_over = len(page) < size
            if not page or len(page) > size or (is_over and len(page) % ROUND):
                return
            first = page[0]
            offset += len(page)
        raise Rejected(f"{operation}: more than {PAGES_LIMIT} pages")
