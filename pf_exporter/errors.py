"""The exporter's errors: each with the reason shown to users and what the code that catches it does."""

from __future__ import annotations

import enum
from collections.abc import Iterable
from typing import ClassVar

from pf_exporter.reason import Reason


class NextStep(enum.Enum):
    """What the code that catches an error does next."""

    EXIT = "exit with an exit code"
    RENEW = "log in or subscribe again"
    RETRY = "wait, then try the same again"
    SKIP = "count it and continue"


class ExporterError(Exception):
    """Base of all errors; the message is one line for users and contains no secret.

    Classes without a ``reason`` only group others and are never raised themselves.
    """

    next_step: ClassVar[NextStep] = NextStep.RETRY
    reason: ClassVar[Reason]


class ConfigError(ExporterError):
    """The configuration cannot be used; ``problems`` holds every problem found, one line each."""

    next_step = NextStep.EXIT
    reason = Reason.CONFIG

    def __init__(self, problems: Iterable[str]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(self.problems))

    def __reduce__(self) -> tuple[type[ConfigError], tuple[tuple[str, ...]]]:
        return type(self), (self.problems,)


class CannotListen(ConfigError):
    """A listen address cannot be bound."""


class ApiError(ExporterError):
    """A request to the API failed; ``retry_after`` is how many seconds the server asked to wait, or None."""

    def __init__(self, message: str, *, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class Unauthorized(ApiError):
    """HTTP 401: the session, key or password is not, or no longer, accepted."""

    next_step = NextStep.RENEW
    reason = Reason.UNAUTHORIZED


class Forbidden(Unauthorized):
    """HTTP 403: authenticated, but not allowed. Only a person can change that: it is logged as an error."""

    reason = Reason.FORBIDDEN


class LoginIncomplete(Unauthorized):
    """The login needs a step that only a person can take (MFA, an unsigned EULA)."""

    reason = Reason.LOGIN_INCOMPLETE


class CredentialsUnreadable(Unauthorized):
    """A file with a secret cannot be used now; the next attempt reads it again."""

    reason = Reason.CREDENTIALS_UNREADABLE


class SubscriptionGone(ApiError):
    """HTTP 404 or 410 on the stream: the subscription has expired, or belongs to another session."""

    next_step = NextStep.RENEW
    reason = Reason.SUBSCRIPTION_GONE


class ExistingSubscriptionGone(SubscriptionGone):
    """A subscription that the user made is gone; the exporter must not replace it."""

    next_step = NextStep.EXIT


class Rejected(ApiError):
    """Another HTTP 4xx, or a response that breaks the contract: wrong request, or a changed API."""

    reason = Reason.REJECTED


class NotFound(Rejected):
    """HTTP 404: there is no such resource, or not for this account."""


class Unavailable(ApiError):
    """No connection, or HTTP 408 or 5xx."""

    reason = Reason.UNAVAILABLE


class CertificateNotTrusted(Unavailable):
    """The certificate of the server cannot be verified."""


class RateLimited(Unavailable):
    """HTTP 429: too many requests."""

    reason = Reason.RATE_LIMITED


class ListIncomplete(ExporterError):
    """A list was read, but its pages do not prove that nothing is missing."""

    reason = Reason.INCOMPLETE


class StreamError(ExporterError):
    """The stream is over."""


class StreamEnded(StreamError):
    """The server ended the stream in an orderly way: the planned two hours, or a restart."""

    reason = Reason.ENDED


class StreamIdle(StreamError):
    """No byte, not even a heartbeat, within the idle timeout."""

    reason = Reason.IDLE


class StreamBroken(StreamError):
    """Connection closed, reset, or invalid framing."""

    reason = Reason.BROKEN


class NotAnEventStream(StreamError):
    """The response has the wrong status, content type or encoding for an event stream."""

    reason = Reason.NOT_AN_EVENT_STREAM


class EventError(ExporterError):
    """One event cannot be used; the stream continues without it."""

    next_step = NextStep.SKIP


class TooLarge(EventError):
    """An event above the size limit."""

    reason = Reason.TOO_LARGE


class NotJson(EventError):
    """The data of the event is not one JSON object."""

    reason = Reason.NOT_JSON


class TooDeep(EventError):
    """The data is nested deeper than any event of this API."""

    reason = Reason.TOO_DEEP


class NoCircuitId(EventError):
    """The event has no usable circuit ID."""

    reason = Reason.NO_CIRCUIT_ID


class NoValues(EventError):
    """The event has no usable value, but fields that are unusable (``rejected`` of them) or ``unknown``."""

    reason = Reason.NO_VALUES

    def __init__(self, message: str, *, rejected: int, unknown: tuple[str, ...]) -> None:
        super().__init__(message)
        self.rejected = rejected
        self.unknown = unknown


def reasons(*roots: type[ExporterError]) -> tuple[Reason, ...]:
    """Return the reasons of the given classes and their subclasses, sorted by value.

    >>> [reason.value for reason in reasons(NotJson, TooDeep)]
    ['not_json', 'too_deep']
    """
    found: set[Reason] = set()
    pending = list(roots)
    while pending:
        cls = pending.pop()
        pending += cls.__subclasses__()
        reason = getattr(cls, "reason", None)  # missing in a class that only groups others
        if reason is not None:
            found.add(reason)
    return tuple(sorted(found))
