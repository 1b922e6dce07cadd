"""PacketFabric's API for one account: log in, subscribe, open the stream, page through lists."""

from __future__ import annotations

import copy
import email.utils
import functools
import json
import platform
import re
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ParamSpec, TypeVar

from pf_exporter import __version__
from pf_exporter.errors import (
    ApiError,
    ExporterError,
    Forbidden,
    LoginIncomplete,
    NotAnEventStream,
    RateLimited,
    Rejected,
    SubscriptionGone,
    Unauthorized,
    Unavailable,
)
from pf_exporter.events import MAX_TIMESTAMP, epoch
from pf_exporter.secret import Secret
from pf_exporter.settings import Account, StreamFilter
from pf_exporter.transport import Stream, Transport
from pf_exporter.wire import Headers

LOGOUT_DEADLINE = 1.0
"""Seconds for saying goodbye: the process is about to end."""
RETRY_AFTER_LIMIT = 3600.0
"""Seconds; a server that asks for more is asked again after this."""
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


def retry_after(value: str | None, now: float) -> float | None:
    """Seconds a ``Retry-After`` header asks for, as a number or an HTTP date; None if it makes no sense.

    >>> retry_after("120", 0), retry_after("Thu, 01 Jan 1970 00:01:00 GMT", 0), retry_after("-5", 0)
    (120.0, 60.0, None)
    """
    if value is None:
        return None
    if re.fullmatch(r"\d{1,18}", value.strip(), re.ASCII):
        return min(float(value), RETRY_AFTER_LIMIT)
    try:
        seconds = email.utils.parsedate_to_datetime(value).timestamp() - now
    except (ValueError, OverflowError):
        return None
    return min(max(seconds, 0.0), RETRY_AFTER_LIMIT)


def _json(body: bytes, doing: str) -> Any:
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        raise Rejected(f"{doing}: the answer is not JSON; check api_url") from None


def _complaint(body: bytes, secrets: Iterable[str]) -> str:
    """The API's own words about an error, made safe for a log line; empty where it has none."""
    try:
        message = json.loads(body)["message"]
    except (ValueError, RecursionError, LookupError, TypeError):
        return ""
    if not isinstance(message, str):
        return ""
    # Validators like to quote what they refuse.
    for secret in secrets:
        message = message.replace(secret, str(Secret(secret)))
    printable = "".join(letter for letter in message[:200] if letter.isprintable())
    return f' ("{printable}")' if printable else ""


def _refusal(
    status: int, headers: Mapping[str, str], body: bytes, doing: str, secrets: Iterable[str]
) -> ApiError:
    """What a status that is not the expected one means."""
    said = f"{doing}: HTTP {status}{_complaint(body, secrets)}"
    wait = retry_after(headers.get("Retry-After"), time.time())
    if status == 401:
        return Unauthorized(f"{said}; check the login, password or API key", retry_after=wait)
    if status == 403:
        return Forbidden(f"{said}; the user or key lacks a permission", retry_after=wait)
    if status == 429:
        return RateLimited(f"{said}; too many requests", retry_after=wait)
    if status == 408 or status >= 500:
        return Unavailable(said, retry_after=wait)
    if 300 <= status < 400:
        return Rejected(f"{said}; redirects are not followed, check api_url", retry_after=wait)
    return Rejected(said, retry_after=wait)


def _sealed(method: Callable[P, T]) -> Callable[P, T]:
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

    @_sealed
    def _call(
        self,
        doing: str,
        method: str,
        path: str,
        session: Session,
        *,
        body: Mapping[str, Any] | None = None,
        query: Mapping[str, str] | None = None,
        expect: int = 200,
    ) -> Any:
        """The JSON value that answers a request."""
        answer = self._transport.call(doing, method, path, headers=_bearer(session), body=body, query=query)
        if answer.status != expect:
            raise _refusal(*answer, doing, [session.token.reveal()])
        return _json(answer.body, doing)

    @_sealed
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
        doing = "login"
        answer = self._transport.call(doing, "POST", "/v2/auth/login", headers={}, body=credentials)
        if answer.status != 200:
            raise _refusal(*answer, doing, credentials.values())
        session = _json(answer.body, doing)
        if not isinstance(session, dict):
            raise Rejected(f"{doing}: the answer is not a session")
        token = session.get("token")
        if session.get("mfa_required") or (not token and b"mfa" in answer.body.lower()):
            raise LoginIncomplete(f"{doing}: this user logs in with a second factor; {API_KEY_HINT}")
        if session.get("should_sign_eula"):
            raise LoginIncomplete(
                f"{doing}: this user has to accept an agreement (EULA) in the portal first; or {API_KEY_HINT}"
            )
        if not isinstance(token, str) or not re.fullmatch(r"[!-~]{1,4096}", token):
            raise Rejected(f"{doing}: the answer holds no usable token")
        expires = session.get("time_expires")
        is_time = isinstance(expires, str) and len(expires) <= MAX_TIMESTAMP
        return Session(Secret(token), epoch(expires) if is_time else None, from_login=True)

    @_sealed
    def logout(self, session: Session) -> None:
        """End a session that :meth:`login` began by logging in; its bundles end with it."""
        if session.from_login:
            self._transport.call(
                "logout",
                "GET",
                "/v2/auth/logout",
                headers=_bearer(session),
                deadline=LOGOUT_DEADLINE,
                farewell=True,
            )

    def subscribe(self, session: Session, streams: Sequence[StreamFilter]) -> str:
        """Make a subscription bundle; its UUID. It must be streamed within five minutes, in this session."""
        doing = "subscription"
        body = {"streams": [stream.request() for stream in streams]}
        answer = self._call(doing, "POST", "/v2/events", session, body=body, expect=201)
        bundle = answer.get("subscription_uuid") if isinstance(answer, dict) else None
        # It becomes part of a URL that the token is sent to.
        if not isinstance(bundle, str) or not re.fullmatch(r"[0-9A-Za-z-]{1,64}", bundle):
            raise Rejected(f"{doing}: the answer holds no usable subscription_uuid")
        return bundle

    @_sealed
    def open(self, session: Session, bundle: str) -> Stream:
        """Open the stream of a bundle; status, content type and encoding are right when this returns."""
        doing = "stream"
        wanted = {
            "Accept": "text/event-stream",
            "Accept-Encoding": "identity",
            "Cache-Control": "no-cache",
        }
        stream = self._transport.open(
            doing,
            "GET",
            f"/v2/events/{bundle}",
            headers={**wanted, **_bearer(session)},
            silence=self._idle_timeout,
        )
        try:
            self._check(stream, doing, session)
        except BaseException:
            stream.close()
            raise
        return stream

    @staticmethod
    def _check(stream: Stream, doing: str, session: Session) -> None:
        if stream.status in (404, 410):
            raise SubscriptionGone(
                f"{doing}: HTTP {stream.status}; the subscription is not, or no longer, known"
            )
        if stream.status >= 300:
            refused_with = stream.head()
            raise _refusal(stream.status, stream.headers, refused_with, doing, [session.token.reveal()])
        kind = stream.headers.get("Content-Type", "")
        if stream.status != 200 or kind.partition(";")[0].strip().lower() != "text/event-stream":
            raise NotAnEventStream(
                f"{doing}: HTTP {stream.status} with content type {kind[:80]!r} is no event stream"
            )
        encoding = stream.headers.get("Content-Encoding", "identity")
        if encoding.strip().lower() != "identity":
            raise NotAnEventStream(f"{doing}: the server compresses the stream unasked ({encoding[:20]!r})")

    def get(self, session: Session, doing: str, path: str, query: Mapping[str, str]) -> Any:
        """The JSON value at a path; ``doing`` begins the text of every error."""
        return self._call(doing, "GET", path, session, query=query)

    def pages(self, session: Session, path: str, *, size: int = 500) -> Iterator[list[dict[str, Any]]]:
        """The objects of a list, page by page: until one is short, or repeats what came before.

        The API names no total, and may ignore paging: a page that begins like the one before it is the
        whole list once more. It names no largest page either: such limits are round numbers, and so a short
        page of a round length is not taken for the last.
        """
        doing = f"list of {path.rsplit('/', 1)[-1]}"
        first = None
        offset = 0
        is_over = False  # as far as one can tell
        for _ in range(PAGES_LIMIT):
            query = {"page_size": str(size), "offset": str(offset)}
            try:
                page = self._call(doing, "GET", path, session, query=query)
            except Rejected:
                if is_over:
                    return
                raise
            if not isinstance(page, list):
                raise Rejected(f"{doing}: the answer is not a list")
            if page and page[0] == first:
                return
            yield [item for item in page if isinstance(item, dict)]
            is_over = len(page) < size
            if not page or len(page) > size or (is_over and len(page) % ROUND):
                return
            first = page[0]
            offset += len(page)
        raise Rejected(f"{doing}: more than {PAGES_LIMIT} pages")
