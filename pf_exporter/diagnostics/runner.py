"""The runner of a check: it measures the time, and turns errors into results with a remedy."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping

from pf_exporter.diagnostics.result import (
    CheckFailed,
    CheckResult,
    CheckStatus,
    FailureClass,
    Notice,
    Outcome,
)
from pf_exporter.errors import (
    ApiError,
    CertificateNotTrusted,
    ConfigError,
    ExporterError,
    Forbidden,
    ListIncomplete,
    LoginIncomplete,
    NotAnEventStream,
    RateLimited,
    Rejected,
    StreamError,
    SubscriptionGone,
    Unauthorized,
    Unavailable,
)

_REMEDIES: Mapping[type[ExporterError], tuple[FailureClass, str]] = {
    ConfigError: (FailureClass.CONFIG, "correct the file that the message names"),
    LoginIncomplete: (
        FailureClass.LOGIN,
        "do what the message asks for in the portal, or use an API key (Settings, API Keys)",
    ),
    Forbidden: (
        FailureClass.STREAM,
        "grant the permission to the user or key in the portal, or remove the stream from streams",
    ),
    Unauthorized: (
        FailureClass.LOGIN,
        "correct the secret, or create an API key in the portal (Settings, API Keys)",
    ),
    RateLimited: (FailureClass.CONNECTION, "wait, and look for other programs that use the same account"),
    CertificateNotTrusted: (
        FailureClass.CONNECTION,
        "set the account's ca_file to the certificate of the authority that signed it",
    ),
    Unavailable: (
        FailureClass.CONNECTION,
        "check api_url and the firewalls on the way to it, or wait until the API is available again",
    ),
    SubscriptionGone: (FailureClass.STREAM, "try again; if it persists, contact PacketFabric's support"),
    Rejected: (
        FailureClass.STREAM,
        "check api_url and the account's streams; the response is not what the API documents",
    ),
    ListIncomplete: (
        FailureClass.STREAM,
        "try again; if it persists, the API does not page as it documents: report it",
    ),
    NotAnEventStream: (
        FailureClass.STREAM,
        "check api_url: a proxy or portal may respond in its place",
    ),
    StreamError: (FailureClass.NO_DATA, "try again; look for proxies and firewalls that close connections"),
}
"""Used for an error of the class, and of its subclasses without an entry."""


def _failed(name: str, exc: ExporterError) -> CheckFailed:
    failure, remedy = next(_REMEDIES[cls] for cls in type(exc).__mro__ if cls in _REMEDIES)
    if name == "login" and failure is FailureClass.STREAM:
        failure = FailureClass.LOGIN  # a forbidden login is not a matter of streams
    message = str(exc).replace("\n", "; ")
    if isinstance(exc, ApiError) and exc.retry_after:
        message += f"; the API asks to wait {exc.retry_after:.0f} s"
    return CheckFailed(failure, message, remedy)


def run_check(
    account: str, name: str, check: Callable[[], Outcome], *, clock: Callable[[], float] = time.monotonic
) -> CheckResult:
    """Run a check; an :class:`ExporterError` is a failure with the remedy of its class."""
    start = clock()
    try:
        outcome = check()
    except (CheckFailed, ExporterError) as exc:
        failed = exc if isinstance(exc, CheckFailed) else _failed(name, exc)
        seconds = clock() - start
        return CheckResult(
            account, name, CheckStatus.FAILED, str(failed), failed.remedy, seconds, failed.failure
        )
    if isinstance(outcome, Notice):
        return CheckResult(account, name, CheckStatus.WARNING, *outcome, clock() - start)
    return CheckResult(account, name, CheckStatus.OK, outcome, seconds=clock() - start)
