"""What can go wrong: each class says what to do about it and, in one bounded word, why."""

from __future__ import annotations

import enum
from collections.abc import Iterable
from typing import ClassVar


class Remedy(enum.Enum):
    """What the one who catches an error does about it."""

    EXIT = "leave with an exit code"
    RENEW = "log in or subscribe again"
    RETRY = "wait, then try the same again"
    SKIP = "count it and go on"


class ExporterError(Exception):
    """Anything of ours that can go wrong; its text is one line for a person, free of secrets."""

    remedy: ClassVar[Remedy] = Remedy.RETRY
    reason: ClassVar[str] = "error"


class ConfigError(ExporterError):
    """The configuration cannot be used; ``problems`` holds every one found, a line each."""

    remedy = Remedy.EXIT
    reason = "config"

    def __init__(self, problems: Iterable[str]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(self.problems))

    def __reduce__(self) -> tuple[type[ConfigError], tuple[tuple[str, ...]]]:
        return type(self), (self.problems,)


class CannotListen(ConfigError):
    """A listen address cannot be had: it is taken, or is not, or not yet, this machine's."""


class ApiError(ExporterError):
    """A request to the API did not do what it was for."""

    reason = "api"

    def __init__(self, message: str, *, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after
        """Seconds the server asked us to wait, or None."""


class Unauthorized(ApiError):
    """401: the session, the key or the password is not, or no longer, accepted."""

    remedy = Remedy.RENEW
    reason = "unauthorized"


class Forbidden(Unauthorized):
    """403: known, but not allowed; a person has to act, so it is said loudly."""

    reason = "forbidden"


class LoginIncomplete(Unauthorized):
    """The login needs a second step that only a person can take (MFA, an unsigned EULA)."""

    reason = "login_incomplete"


class CredentialsUnreadable(Unauthorized):
    """The file that holds a secret cannot be used now; it is read anew at the next try."""

    reason = "credentials_unreadable"


class SubscriptionGone(ApiError):
    """404 or 410 on the stream: the bundle has expired, or belongs to another session."""

    remedy = Remedy.RENEW
    reason = "subscription_gone"


class BundleGone(SubscriptionGone):
    """The same of a bundle that somebody else made: no other can take its place."""

    remedy = Remedy.EXIT


class Rejected(ApiError):
    """Another 4xx, or an answer that breaks the contract: we ask wrongly, or the API has changed."""

    reason = "rejected"


class Unavailable(ApiError):
    """No connection, 429, or 5xx: the API cannot answer now."""

    reason = "unavailable"


class RateLimited(Unavailable):
    """429: too many requests."""

    reason = "rate_limited"


class StreamError(ExporterError):
    """The stream is over."""

    reason = "stream"


class StreamEnded(StreamError):
    """An orderly end by the server: the planned two hours, or a restart on its side."""

    reason = "ended"


class StreamIdle(StreamError):
    """Not one byte, not even a heartbeat, within the idle timeout."""

    reason = "idle"


class StreamBroken(StreamError):
    """Cut, reset, or garbled in transport."""

    reason = "broken"


class NotAnEventStream(StreamError):
    """The answer has the wrong status, content type or encoding to be an event stream."""

    reason = "not_an_event_stream"


class EventError(ExporterError):
    """One event cannot be used; the stream goes on without it."""

    remedy = Remedy.SKIP
    reason = "event"


class TooLarge(EventError):
    """An event above the size limit."""

    reason = "too_large"


class NotJson(EventError):
    """The data of the event is not one JSON object."""

    reason = "not_json"


class TooDeep(EventError):
    """The data nests deeper than any event of this API could."""

    reason = "too_deep"


class NoCircuitId(EventError):
    """The event does not say, in a usable way, which circuit it speaks of."""

    reason = "no_circuit_id"


def reasons(*roots: type[ExporterError]) -> tuple[str, ...]:
    """Every reason that the given classes and those below them can give, sorted.

    >>> reasons(NotJson, TooDeep)
    ('not_json', 'too_deep')
    """
    found: set[str] = set()
    pending = list(roots)
    while pending:
        cls = pending.pop()
        below = cls.__subclasses__()
        pending += below
        # A class that only groups others is never raised itself.
        if cls not in (ExporterError, ApiError, StreamError, EventError):
            found.add(cls.reason)
    return tuple(sorted(found))
